/** Packets that get as far as a rule, or nearly: drawn from what the rules on the way ask for. */

import { memoryOf, predicateOf } from '../../src/extensions/meaning-of.ts'
import { valuesFor, literalsOn } from '../../src/analyze/field-values.ts'
import { alternativesOf } from '../../src/analyze/literals.ts'
import type { Literal, Wish } from '../../src/analyze/literals.ts'
import type { Chain, Rule, Ruleset, Table } from '../../src/ir/ruleset.ts'
import { ADDRESS_TYPE, CT_STATE, FIELDS, PACKET_TYPE } from '../../src/meaning/fields.ts'
import type { DeviceField, FieldValue, NumberField } from '../../src/meaning/fields.ts'
import { deviceMatches } from '../../src/net/device-name.ts'
import { makePacket } from '../../src/packet/packet.ts'
import type { Packet, PacketType } from '../../src/packet/packet.ts'
import type { Chance } from '../chance.ts'
import type { Walker } from './table-walk.ts'

/** Draws packets for the rules of one table; `toward` names rules to aim at, undefined: any. */
export interface Drawer {
  readonly draw: (chance: Chance, toward?: Rule) => { readonly root: Chain; readonly make: () => Walker } | undefined
}

interface Placed {
  readonly rule: Rule
  readonly chain: Chain
}

/** Returns a drawer for a table. */
export function makeDrawer({ family }: Ruleset, table: Table): Drawer {
  const chainOf = new Map<Rule, Chain>()
  const callers = new Map<Chain, Placed[]>()
  const rules: Rule[] = []
  for (const chain of table.chains) {
    for (const rule of chain.rules) {
      chainOf.set(rule, chain)
      rules.push(rule)
      const to = rule.target && rule.target.kind !== 'target' ? table.chainByName.get(rule.target.chain) : undefined
      if (to) callers.set(to, [...(callers.get(to) ?? []), { rule, chain }])
    }
  }
  const names = deviceNames(rules, family)
  const wishesOf = (rule: Rule, negated: boolean): Wish[] => rule.matches.map(use => ({ predicate: predicateOf(use, family), negated }))
  return {
    draw(chance, toward) {
      const aim = toward ?? chance.pick(rules)
      const wishes = wishesOf(aim, false)
      let chain = chainOf.get(aim)
      for (let depth = 0; chain && !chain.hook && depth < 60; depth++) {
        const from: readonly Placed[] = callers.get(chain) ?? []
        if (from.length === 0) return undefined
        const caller = chance.pick(from)
        wishes.push(...wishesOf(caller.rule, false))
        chain = caller.chain
      }
      if (!chain?.hook) return undefined
      const others = chance.once(3) ? [] : alternativesOf(wishesOf(chance.pick(rules), false))
      const lists = alternativesOf(wishes)
      if (lists.length === 0) return undefined
      const literals = [...chance.pick(lists), ...(others.length === 0 ? [] : chance.pick(others).filter(() => chance.once(2)))]
      const draft = draftOf({ literals, firm: lists[0]?.length ?? 0, family, names, root: chain, table, chance })
      return { root: chain, make: () => makeSubject(draft, family) }
    },
  }
}

function deviceNames(rules: readonly Rule[], family: Ruleset['family']): readonly string[] {
  const names = new Set<string>(['lo', 'eth0', 'other7'])
  for (const rule of new Set(rules.flatMap(({ matches }) => matches))) {
    if (memoryOf(rule, family)) continue
    for (const list of alternativesOf([{ predicate: predicateOf(rule, family), negated: false }])) for (const { term } of list) if (term.kind === 'device') names.add(term.pattern.prefix ? `${term.pattern.name}0` : term.pattern.name)
  }
  names.delete('')
  return [...names]
}

interface Wanted {
  readonly literals: readonly Literal[]
  readonly firm: number
  readonly family: Ruleset['family']
  readonly names: readonly string[]
  readonly root: Chain
  readonly table: Table
  readonly chance: Chance
}

interface Draft {
  readonly packet: Packet
  readonly devices: Readonly<Record<DeviceField, string>>
  readonly ctState: number
  readonly ctMark: number
  readonly addressTypes: Readonly<Record<'src' | 'dst', number>>
  readonly decisions: ReadonlyMap<string, boolean>
  readonly bridged: boolean
}

const USUAL = { ipv4: [0x0a000005, 0xc6336407, 0xc0a80101, 0x7f000001, 0xe0000001, 0xffffffff], ipv6: [(0x20010db8n << 96n) + 5n, 1n, (0xfe80n << 112n) + 1n, (0xff02n << 112n) + 1n] } as const

function draftOf({ literals, family, names, root, table, chance }: Wanted): Draft {
  const values = (field: NumberField, usual: readonly FieldValue[]): FieldValue => {
    const own = literalsOn(literals, field)
    const { width } = FIELDS[field]
    const found = valuesFor(own, usual, { turn: chance.below(250), count: 12 }).filter(value => width === 'address' || BigInt(value) < 1n << BigInt(width))
    return found.length === 0 || (own.length > 0 && chance.once(12)) ? chance.pick(usual) : chance.pick(found)
  }
  const number = (field: NumberField, usual: readonly number[]): number => Number(values(field, usual))
  const device = (field: DeviceField, among: readonly string[]): string => {
    const own = literals.flatMap(({ term, negated }) => (term.kind === 'device' && term.field === field ? [{ term, negated }] : []))
    const fitting = among.filter(name => own.every(({ term, negated }) => deviceMatches(term.pattern, name) !== negated))
    return chance.pick(fitting.length > 0 ? fitting : among)
  }
  const protocol = protocolFor(literals, family, number, chance)
  const hook = root.hook
  const state = number('ct.state', table.name === 'nat' ? [CT_STATE.NEW, CT_STATE.RELATED] : [CT_STATE.NEW, CT_STATE.ESTABLISHED, CT_STATE.RELATED, CT_STATE.INVALID, CT_STATE.UNTRACKED])
  const single = [CT_STATE.NEW, CT_STATE.ESTABLISHED, CT_STATE.RELATED, CT_STATE.INVALID, CT_STATE.UNTRACKED].filter(bit => (state & bit) !== 0 && (table.name !== 'nat' || bit === CT_STATE.NEW || bit === CT_STATE.RELATED))
  const base = single.length > 0 ? chance.pick(single) : CT_STATE.NEW
  const ctState = base | (base & (CT_STATE.INVALID | CT_STATE.UNTRACKED) ? 0 : state & (CT_STATE.SNAT | CT_STATE.DNAT))
  const addressType = (end: 'src' | 'dst'): number => lowestBit(number(`addressType.${end}`, [ADDRESS_TYPE.LOCAL, ADDRESS_TYPE.UNICAST]))
  return {
    ctState, ctMark: number('ct.mark', [0]), addressTypes: { src: addressType('src'), dst: addressType('dst') },
    packet: packetFor({ family, protocol, number, values, chance }),
    devices: {
      'device.in': hook === 'OUTPUT' || (hook === 'POSTROUTING' && chance.once(2)) ? '' : device('device.in', names),
      'device.out': hook === 'PREROUTING' || hook === 'INPUT' ? '' : device('device.out', names),
      'bridge.in': device('bridge.in', ['', '', ...names]), 'bridge.out': device('bridge.out', ['', '', ...names]),
    },
    decisions: new Map(literals.flatMap(({ term, negated }) => (term.kind === 'opaque' ? [[term.key, !negated] as const] : term.kind === 'ipset' ? [[`${term.name} ${term.directions.join()}`, !negated] as const] : []))),
    bridged: number('bridge.forwarded', [0, 0, 1]) === 1,
  }
}

type ValuesOf = (field: NumberField, usual: readonly FieldValue[]) => FieldValue
type NumberOf = (field: NumberField, usual: readonly number[]) => number

function protocolFor(literals: readonly Literal[], family: Ruleset['family'], number: NumberOf, chance: Chance): number {
  const icmp = family === 'ipv4' ? 1 : 58
  const asks = (prefix: string): boolean => literals.some(({ term }) => 'field' in term && term.field.startsWith(prefix))
  const likely = asks('icmp') ? [icmp] : asks('tcp') ? [6] : asks('l4.') ? [6, 17] : [6, 17, icmp, 47]
  return number('ip.protocol', chance.once(8) ? [6, 17, icmp, 47, 50] : likely)
}

interface PacketParts {
  readonly family: Ruleset['family']
  readonly protocol: number
  readonly number: NumberOf
  readonly values: ValuesOf
  readonly chance: Chance
}

function packetFor({ family, protocol, number, values, chance }: PacketParts): Packet {
  const fragmentOffset = number('ip.fragmentOffset', chance.once(20) ? [8, 0] : [0])
  const ports = [6, 17, 33, 132, 136].includes(protocol) && fragmentOffset === 0 ? { sport: number('l4.sport', [40000, 1023, 53, 80]), dport: number('l4.dport', [22, 80, 443, 53, 60000]) } : {}
  const tcp = protocol === 6 && fragmentOffset === 0 ? { tcp: { flags: number('tcp.flags', [2, 16, 18, 4, 0, 41]), seq: 0, ack: 0, window: 100, optionKinds: [] } } : {}
  const icmp = protocol === (family === 'ipv4' ? 1 : 58) && fragmentOffset === 0 ? { icmp: { type: number(family === 'ipv4' ? 'icmp.type' : 'icmp6.type', family === 'ipv4' ? [8, 0, 3, 11] : [128, 129, 135, 136, 2]), code: number(family === 'ipv4' ? 'icmp.code' : 'icmp6.code', [0, 1, 4]) } } : {}
  const type = number('packetType', [0, 0, 0, 1, 2])
  const packetType = (Object.entries(PACKET_TYPE).find(([, bit]) => bit === type)?.[0] ?? 'unicast') as PacketType
  return makePacket({
    family, protocol, src: values('ip.src', USUAL[family]), dst: values('ip.dst', USUAL[family]), fragmentOffset, moreFragments: number('ip.moreFragments', [0, 0, 0, 1]) === 1, packetType,
    ttl: number('ip.ttl', [64, 1, 255]), tos: number('ip.tos', [0, 16, 184]), length: number('ip.length', [60, 1500]), mark: number('mark', [0, 0, 1]), ...ports, ...tcp, ...icmp,
    ...(chance.once(3) ? { macSource: '020000000001' } : {}),
    ...(chance.once(3) ? { socket: { uid: number('socket.uid', [0, 1000]), gid: number('socket.gid', [0, 1000]) } } : {}),
  } as Parameters<typeof makePacket>[0])
}

/** The same draft makes equal subjects: one for each version of a table. */
function makeSubject({ packet, devices, ctState, ctMark, addressTypes, decisions, bridged }: Draft, family: Ruleset['family']): Walker {
  const isTracked = (ctState & (CT_STATE.INVALID | CT_STATE.UNTRACKED)) === 0
  const tuple = { src: packet.src, dst: packet.dst, ...(packet.sport === undefined ? {} : { sport: packet.sport }), ...(packet.dport === undefined ? {} : { dport: packet.dport }) }
  return {
    packet, ctState, bridged,
    inDevice: devices['device.in'], outDevice: devices['device.out'], bridgeIn: devices['bridge.in'], bridgeOut: devices['bridge.out'],
    connection: isTracked ? { protocol: packet.protocol, original: tuple, reply: { src: packet.dst, dst: packet.src }, status: family === 'ipv4' ? 0 : 8, direction: 0, mark: ctMark, expires: 100 } : undefined,
    connectionWatch: () => ({ key: '', isConfirmed: false, isAssured: false, state: () => 'gone', moment: 0 }),
    addressType: address => addressTypes[address === packet.src ? 'src' : 'dst'],
    inIpset: (name, directions) => decisions.get(`${name} ${directions.join()}`) ?? false,
    routeRealm: () => 0, deviceGroup: () => 0, hasReversePath: () => true,
    decide: key => decisions.get(key) ?? false,
  }
}

function lowestBit(value: number): number {
  return value & -value || ADDRESS_TYPE.UNICAST
}
