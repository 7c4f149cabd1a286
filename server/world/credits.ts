/**
 * The credits of one world (CR-1, CR-3). Kept in thousandths, as whole numbers, so that no sum ever drifts.
 */
import { creditsPerMinute, type Model } from '../../contracts/schemas.ts'

/** The price of a video in thousandths of a credit, on its billed duration (CR-1). */
export const priceOf = (model: Model, durationMs: number): number =>
  Math.round((creditsPerMinute[model] * durationMs) / 60)

export class Credits {
  #balance: number
  #reserved = 0

  constructor(credits: number) {
    this.#balance = Math.round(credits * 1000)
  }

  /** Thousandths of a credit that a new job may take. */
  get available(): number {
    return this.#balance - this.#reserved
  }

  /** Thousandths of a credit, the reserved ones included. */
  get balance(): number {
    return this.#balance
  }

  /** Sets what is available; what is reserved stays so. */
  set(credits: number): void {
    this.#balance = Math.round(credits * 1000) + this.#reserved
  }

  /** Thousandths of a credit, the reserved ones included. */
  setBalance(thousandths: number): void {
    this.#balance = thousandths
  }

  topUp(credits: number): void {
    this.#balance += Math.round(credits * 1000)
  }

  reserve(price: number): void {
    this.#reserved += price
  }

  charge(price: number): void {
    this.#reserved -= price
    this.#balance -= price
  }

  release(price: number): void {
    this.#reserved -= price
  }

  refund(price: number): void {
    this.#balance += price
  }
}
