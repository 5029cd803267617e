/** What a rule of a policy asks of a packet, and how iptables-save writes it. */

import { savedProtocolName, PROTOCOL } from '../net/protocol.ts'
import { writeDevicePattern } from '../net/device-name.ts'
import type { DevicePattern } from '../net/device-name.ts'
import type { Side } from './sides.ts'

/** What one rule asks: the options of ip itself, of which `except` is inverted, and further matches in words. What the ends ask of ipsets is among these. */
export interface Head {
  readonly from: Side
  readonly to: Side
  readonly protocol?: number | undefined
  readonly except?: 'source' | 'destination' | 'inDevice' | 'outDevice' | undefined
  readonly matches: readonly string[]
}

/** What asks nothing. */
export const ANYTHING: Head = { from: {}, to: {}, matches: [] }

/** Returns a head in iptables-save's words, with what else is asked behind it and a blank behind each; empty where nothing is asked. */
export function writeHead({ from, to, protocol, except, matches }: Head, guards: readonly string[]): string {
  let text = ''
  if (from.words !== undefined) text += `${except === 'source' ? '! ' : ''}-s ${from.words} `
  if (to.words !== undefined) text += `${except === 'destination' ? '! ' : ''}-d ${to.words} `
  if (from.device && !isAnyDevice(from.device)) text += `${except === 'inDevice' ? '! ' : ''}-i ${writeDevicePattern(from.device)} `
  if (to.device && !isAnyDevice(to.device)) text += `${except === 'outDevice' ? '! ' : ''}-o ${writeDevicePattern(to.device)} `
  if (protocol !== undefined && protocol !== PROTOCOL.all) text += `-p ${savedProtocolName(protocol) ?? String(protocol)} `
  for (let index = 0; index < matches.length; index++) text += `${matches[index] ?? ''} `
  for (let index = 0; index < guards.length; index++) text += `${guards[index] ?? ''} `
  return text
}

function isAnyDevice({ name, prefix }: DevicePattern): boolean {
  return prefix && name === ''
}
