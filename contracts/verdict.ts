export const verdicts = ['holds', 'broken', 'not_tried'] as const

export type Verdict = (typeof verdicts)[number]
