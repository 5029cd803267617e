/** The loopback device, which every namespace has. */

import type { Device } from './topology.ts'

/** `lo` with 127.0.0.1/8 and ::1/128. */
export const LOOPBACK: Device = {
  name: 'lo',
  kind: 'loopback',
  addresses: [
    { address: 0x7f000001, length: 8 },
    { address: 1n, length: 128 },
  ],
  mtu: 65536,
  mac: '000000000000',
  up: true,
  hairpin: false,
}
