# The mock, the contract suite and the drills alone: no build tools, no curl, no root. `docker run -p 4010:4010 understudy`
FROM node:24-alpine AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm run docs:site && npm prune --omit=dev --ignore-scripts

FROM node:24-alpine
WORKDIR /app
# Inside a container, loopback is out of reach for everybody; /__mock stays closed until UNDERSTUDY_ADMIN_TOKEN is set.
ENV NODE_ENV=production UNDERSTUDY_HOST=0.0.0.0
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/fixtures ./fixtures
COPY --from=build /app/scenarios ./scenarios
USER node
EXPOSE 4010
HEALTHCHECK --interval=10s --timeout=4s --start-period=2s CMD ["node", "dist/cli/bin.js", "health"]
ENTRYPOINT ["node", "dist/cli/bin.js"]
CMD ["serve"]
