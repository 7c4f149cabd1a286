/** The drills by name. */
import type { DrillName } from '../report.ts'
import { burst } from './burst.ts'
import type { Drill } from './drill.ts'
import { journey } from './journey.ts'
import { outage } from './outage.ts'
import { ramp } from './ramp.ts'
import { recover } from './recover.ts'
import { soak } from './soak.ts'
import { sustain } from './sustain.ts'

export const drills: Readonly<Record<DrillName, Drill>> = { burst, sustain, ramp, journey, outage, recover, soak }
