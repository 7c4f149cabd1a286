import { STATUS_CODES } from 'node:http'
import { fault } from './fault.ts'

export const proxyHtml = fault({
  summary: "answers with a proxy's HTML error page instead of the envelope",
  params: {
    status: { enum: [502, 503, 504], default: 502, description: "The proxy's status; 502 by default." },
  },
  needsAnswer: false,
  setsStatus: true,
  explain: ({ status }) => `answers ${status} with a proxy's HTML page`,
  change: ({ status }, answer) => {
    const title = `${status} ${STATUS_CODES[status]}`
    answer.status = status
    answer.headers = { ...answer.headers, server: 'nginx', 'content-type': 'text/html' }
    answer.body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`
  },
})
