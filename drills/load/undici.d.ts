/** undici's client by itself, which the package has no typings for. */
declare module 'undici/lib/dispatcher/client.js' {
  export { Client as default } from 'undici'
}
