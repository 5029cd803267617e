/** Reads the service matrices that another analyser printed: groups of IPv4 addresses, and which pairs of groups may talk. */

import type { AddressRun } from '../../src/analyze/matrix-groups.ts'
import { readAddress } from '../../src/net/address.ts'

/** A matrix of one TCP port. */
export interface ServiceMatrix {
  readonly port: number
  readonly groups: ReadonlyMap<string, readonly AddressRun[]>
  /** `a,b`: packets from a to b get through. */
  readonly pairs: ReadonlySet<string>
}

/** Returns the matrices of an output. */
export function readServiceMatrices(text: string): readonly ServiceMatrix[] {
  const [, ...blocks] = text.split(/^=+ TCP port \d+->/m)
  return blocks.map(block => ({
    port: Number.parseInt(block, 10),
    groups: new Map([...block.matchAll(/^(\w+) \|-> (.*)$/gm)].map(([, name = '', runs = '']) => [name, runs.split(' u ').map(readRun)])),
    pairs: new Set([...block.matchAll(/^\((\w+),(\w+)\)$/gm)].map(([, from = '', to = '']) => `${from},${to}`)),
  }))
}

/** `10.0.0.1` or `{10.0.0.0 .. 10.0.0.255}`. */
function readRun(text: string): AddressRun {
  const [low, high = low] = text.replaceAll(/[{}]/g, '').split(' .. ').map(part => BigInt(readAddress(part.trim()) ?? 0))
  return { low: low ?? 0n, high: high ?? 0n }
}

/** Reads an assignment of addresses to devices (`eth0 = [10.0.0.0/8]`, `all_but_those_ips [...]`). */
export function readDeviceAddresses(text: string): ReadonlyMap<string, { readonly isAllBut: boolean; readonly prefixes: readonly string[] }> {
  return new Map([...text.matchAll(/^(\S+) = (all_but_those_ips )?\[([^\]]*)\]/gm)].map(([, device = '', but, list = '']) => [device, { isAllBut: but !== undefined, prefixes: list.split(',').map(part => part.trim()).filter(part => part !== '') }]))
}
