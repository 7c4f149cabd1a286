/** undici's connection, and no more of it: all of undici takes each thread three times as long to load. */
/// <reference path="./undici.d.ts" />
export { default as Client } from 'undici/lib/dispatcher/client.js'
