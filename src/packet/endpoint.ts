/** An address with an optional port, as the packet notation writes it: `10.0.0.1:80`, `[2001:db8::1]:443`, `10.0.0.1`. */

import { readAddress, writeAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { servicePort } from '../net/services.ts'

/** One end of a packet. */
export interface Endpoint {
  readonly address: Address
  readonly port?: number
}

/** An endpoint, or why the text is none. */
export type EndpointReading = { readonly ok: true; readonly value: Endpoint } | { readonly ok: false; readonly problem: string }

/** Reads an endpoint; the port may be a service name. */
export function readEndpoint(text: string): EndpointReading {
  const whole = readAddress(text.replace(/^\[(.*)\]$/, '$1'))
  if (whole !== undefined) return { ok: true, value: { address: whole } }
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(text)
  const addressText = match?.[1] ?? match?.[2] ?? text
  const address = readAddress(addressText)
  if (address === undefined) return { ok: false, problem: `\`${addressText}\` is not an address` }
  const portText = match?.[3] ?? ''
  const port = /^\d+$/.test(portText) ? Number(portText) : servicePort(portText)
  if (port === undefined) return { ok: false, problem: portText === '' ? `the port is missing in \`${text}\`` : `there is no service \`${portText}\`` }
  return port > 65535 ? { ok: false, problem: `port \`${portText}\` is above 65535` } : { ok: true, value: { address, port } }
}

/** Returns an endpoint's text. */
export function writeEndpoint({ address, port }: Endpoint): string {
  const text = writeAddress(address)
  if (port === undefined) return text
  return typeof address === 'bigint' ? `[${text}]:${port}` : `${text}:${port}`
}
