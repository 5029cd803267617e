/** Connections that must not be cut off: `tcp from 198.51.100.7 to port 22`, as `--keep-open` takes them. */

import { readPrefix } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import { servicePort } from '../net/services.ts'

/** A connection to this host. */
export interface KeepOpen {
  readonly text: string
  readonly protocol: 'tcp' | 'udp'
  /** Absent: from anywhere. */
  readonly from?: Prefix
  readonly port: number
  readonly device?: string
}

/** What was read, or why it cannot be. */
export type KeepOpenReading = { readonly ok: true; readonly value: KeepOpen } | { readonly ok: false; readonly problem: string }

const SHAPE = /^(tcp|udp)(?:\s+from\s+(\S+))?(?:\s+on\s+(\S+))?\s+to\s+port\s+(\S+)$/

/** Reads a connection; a port may be a service name. */
export function readKeepOpen(text: string): KeepOpenReading {
  const [, protocol, from, device, portText = ''] = SHAPE.exec(text.trim()) ?? []
  if (protocol !== 'tcp' && protocol !== 'udp') return { ok: false, problem: 'write it as `tcp from 198.51.100.7 to port 22`; `from ADDRESS` and `on DEVICE` may be left out' }
  const port = /^\d+$/.test(portText) ? Number(portText) : servicePort(portText, protocol)
  if (port === undefined || port > 65535) return { ok: false, problem: `\`${portText}\` is not a port` }
  const prefix = from === undefined ? undefined : readPrefix(from)
  if (from !== undefined && !prefix) return { ok: false, problem: `\`${from}\` is not an address or prefix` }
  return { ok: true, value: { text: text.trim(), protocol, port, ...(prefix ? { from: prefix } : {}), ...(device === undefined ? {} : { device }) } }
}
