export { default as send } from '@fastify/send'
