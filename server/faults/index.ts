/** Every fault on the wire, by the name that scenarios and X-Mock-Fault know it by. */
import { bandwidth } from './bandwidth.ts'
import { brokenEnvelope } from './brokenEnvelope.ts'
import { closeBeforeHead } from './closeBeforeHead.ts'
import { closeUnread } from './closeUnread.ts'
import { cutUpload } from './cutUpload.ts'
import { dribble } from './dribble.ts'
import { emptyReply } from './emptyReply.ts'
import type { Fault } from './fault.ts'
import { malformedJson } from './malformedJson.ts'
import { noAnswer } from './noAnswer.ts'
import { proxyHtml } from './proxyHtml.ts'
import { reset } from './reset.ts'
import { resetMidBody } from './resetMidBody.ts'
import { slowHead } from './slowHead.ts'
import { slowUpload } from './slowUpload.ts'
import { stallBody } from './stallBody.ts'
import { truncatedBody } from './truncatedBody.ts'
import { truncatedChunks } from './truncatedChunks.ts'
import { wrongContentType } from './wrongContentType.ts'
import { wrongStatus } from './wrongStatus.ts'

export const faults: Record<string, Fault> = {
  no_answer: noAnswer,
  close_before_head: closeBeforeHead,
  reset,
  reset_mid_body: resetMidBody,
  truncated_body: truncatedBody,
  truncated_chunks: truncatedChunks,
  stall_body: stallBody,
  empty_reply: emptyReply,
  malformed_json: malformedJson,
  wrong_content_type: wrongContentType,
  wrong_status: wrongStatus,
  broken_envelope: brokenEnvelope,
  proxy_html: proxyHtml,
  slow_head: slowHead,
  dribble,
  bandwidth,
  slow_upload: slowUpload,
  cut_upload: cutUpload,
  close_unread: closeUnread,
}

export const faultNames = Object.keys(faults)
