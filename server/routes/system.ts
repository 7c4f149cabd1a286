/** /health and /api/pricing. */
import { creditsPerMinute, type Health, type Pricing } from '../../contracts/schemas.ts'

export async function getHealth(): Promise<Health> {
  return { status: 'ok' }
}

/** CR-2. The prices in money are examples: the documentation gives none. */
export async function getPricing(): Promise<Pricing> {
  return {
    model_pricing_credits_per_minute: creditsPerMinute,
    price_per_second_cents: 1,
    packages: [
      { name: 'starter', credits: 600, price_cents: 600 },
      { name: 'team', credits: 6000, price_cents: 5400 },
    ],
  }
}
