/** Rules in felix' own spelling: each carries a hash of it, and of all rules before it in its chain. Source: calico felix/generictables/rules.go RuleHashes(), felix/iptables/{match_builder,actions}.go. */

import { commented, header, hideAtRandom, inSet, inStates, jumpTo, marked, not, setMark, verdict } from '../draft/rule-parts.ts'
import type { HeaderTest } from '../draft/rule-parts.ts'
import type { RuleWords } from '../draft/step.ts'
import type { MatchUse, TargetUse } from '../ir/ruleset.ts'
import { ADDRESS_TYPE, CT_STATE } from '../meaning/fields.ts'
import { writePrefix } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import type { NumberRange } from '../net/ranges.ts'
import { sha224, sha256 } from '../net/sha256.ts'

/** A condition: as felix spells it, and as the rule has it. */
export interface FelixTest {
  readonly words: string
  readonly header?: HeaderTest
  readonly match?: MatchUse
}

/** What a rule does: as felix spells it, and as the rule has it. */
export interface FelixAction {
  readonly words: string
  readonly target: TargetUse | undefined
}

/** A rule before it has its hash. */
export interface FelixRule {
  readonly tests: readonly FelixTest[]
  readonly action: FelixAction
  readonly comments: readonly string[]
  readonly reason: string
}

/** Returns a rule. */
export function felixRule(tests: readonly FelixTest[], action: FelixAction, reason: string, ...comments: readonly string[]): FelixRule {
  return { tests, action, comments, reason }
}

/** Returns the rules of a chain with their hashes. `seed` is the chain's name, for rules at the end of a built-in chain `NAME*appends*`. */
export function withHashes(rules: readonly FelixRule[], seed: string, owner: string): readonly RuleWords[] {
  const encoder = new TextEncoder()
  let hash = sha224(encoder.encode(seed))
  return rules.map(rule => {
    const text = ['-A', seed, 'HASH', ...rule.comments.map(comment => `-m comment --comment "${clean(comment)}"`), ...rule.tests.map(({ words }) => words), rule.action.words].filter(word => word !== '').join(' ')
    hash = sha224(new Uint8Array([...hash, ...encoder.encode(text)]))
    return { matches: matchesOf(rule, `cali:${base64Url(hash).slice(0, 16)}`), target: rule.action.target, owner, reason: rule.reason }
  })
}

/** The header stands first however felix spells it. */
function matchesOf({ tests, comments }: FelixRule, hash: string): readonly MatchUse[] {
  const test: HeaderTest = Object.assign({}, ...tests.flatMap(one => one.header ?? []))
  return [...(Object.keys(test).length > 0 ? [header(test)] : []), commented(hash), ...comments.map(comment => commented(clean(comment))), ...tests.flatMap(({ match }) => match ?? [])]
}

/** What a comment must not have becomes `_`. */
function clean(comment: string): string {
  return comment.replace(/[^\w @%+=:,./-]/g, '_').slice(0, 256)
}

/** Returns a chain's name: shortened by a hash where iptables would not take it. */
export function felixName(prefix: string, suffix: string): string {
  const name = `${prefix}${suffix}`
  const fits = name.length < LIMIT || (name.length === LIMIT && !suffix.startsWith('_'))
  return fits ? name : `${prefix}_${base64Url(sha256(suffix))}`.slice(0, LIMIT)
}

/** iptables takes chain names of 28 bytes. */
const LIMIT = 28

/** RFC 4648 section 5, without padding. */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function base64Url(bytes: Uint8Array): string {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,6}/g) ?? []).map(six => DIGITS[Number.parseInt(six.padEnd(6, '0'), 2)]).join('')
}

/** Marks that felix uses: the lowest bits of 0xffff0000. */
export const FELIX_MARK = { accept: 0x10000, pass: 0x20000, drop: 0x40000, scratch0: 0x80000, scratch1: 0x100000 } as const

/** All bits that are cleared before felix begins; the drop bit is not among them. */
export const ALL_MARKS = 0x1b0000

const hex = (value: number): string => `0x${value.toString(16)}`

/** Matches packets that have, or lack, a mark of one bit. */
export const isMarked = (bit: number): FelixTest => ({ words: `-m mark --mark ${hex(bit)}/${hex(bit)}`, match: marked(bit, bit) })
export const isUnmarked = (bit: number): FelixTest => ({ words: `-m mark --mark 0/${hex(bit)}`, match: marked(0, bit) })
/** Matches devices; `+` at the end stands for any rest of the name. */
export const arrivesOn = (device: string): FelixTest => ({ words: `--in-interface ${device}`, header: { inDevice: device } })
export const leavesBy = (device: string): FelixTest => ({ words: `--out-interface ${device}`, header: { outDevice: device } })
/** Matches a protocol by its number, or by its name where felix is given one. */
export const ofNumber = (protocol: number): FelixTest => ({ words: `-p ${protocol}`, header: { protocol } })
export const ofProtocol = (name: string, protocol: number): FelixTest => ({ words: `-p ${name}`, header: { protocol } })
/** Matches addresses. */
export const comesFrom = (prefix: Prefix): FelixTest => ({ words: `--source ${writePrefix(prefix)}`, header: { source: prefix } })
export const goesTo = (prefix: Prefix): FelixTest => ({ words: `--destination ${writePrefix(prefix)}`, header: { destination: prefix } })
/** Matches addresses of an ipset, or all others. */
export const inFelixSet = (name: string, side: 'src' | 'dst'): FelixTest => ({ words: `-m set --match-set ${name} ${side}`, match: inSet(name, side) })
export const notInFelixSet = (name: string, side: 'src' | 'dst'): FelixTest => ({ words: `-m set ! --match-set ${name} ${side}`, match: inSet(not(name), side) })
/** Matches connection states. */
export const ofState = (words: string, states: number): FelixTest => ({ words: `-m conntrack --ctstate ${words}`, match: inStates(states) })
export const notTranslated: FelixTest = { words: '-m conntrack ! --ctstate DNAT', match: inStates(not(CT_STATE.DNAT)) }
/** Matches packets whose sender the node would not answer by the device on which they came. */
export const isSpoofed: FelixTest = { words: '-m rpfilter --invert --validmark', match: { name: 'rpfilter', infos: { validmark: { value: true, inverted: false }, invert: { value: true, inverted: false } } } }
/** Matches addresses of the node itself. */
export const toNode: FelixTest = { words: '-m addrtype --dst-type LOCAL', match: { name: 'addrtype', infos: { 'dst-type': { value: ADDRESS_TYPE.LOCAL, inverted: false } } } }
export const fromNode: FelixTest = { words: '-m addrtype --src-type LOCAL', match: { name: 'addrtype', infos: { 'src-type': { value: ADDRESS_TYPE.LOCAL, inverted: false } } } }
export const notFromDevice: FelixTest = {
  words: '-m addrtype ! --src-type LOCAL --limit-iface-out',
  match: { name: 'addrtype', infos: { 'src-type': { value: ADDRESS_TYPE.LOCAL, inverted: true }, 'limit-iface-out': { value: true, inverted: false } } },
}

/** Matches ports; a range counts as two of 15. */
export const ofPorts = (side: 'source' | 'destination', ports: readonly NumberRange[]): FelixTest => ({
  words: `-m multiport --${side}-ports ${ports.map(({ low, high }) => (low === high ? `${low}` : `${low}:${high}`)).join(',')}`,
  match: { name: 'multiport', infos: { [side === 'source' ? 'sports' : 'dports']: { value: ports, inverted: false } } },
})

/** Matches one UDP port. */
export const ofUdpPort = (port: number): FelixTest => ({ words: `--dport ${port}`, match: { name: 'udp', infos: { dport: { value: { low: port, high: port }, inverted: false } } } })

/** Goes on in another chain, and comes back or not. */
export const jump = (chain: string): FelixAction => ({ words: `--jump ${chain}`, target: jumpTo(chain) })
export const goTo = (chain: string): FelixAction => ({ words: `--goto ${chain}`, target: { kind: 'goto', chain } })
/** Ends. */
export const end = (name: 'ACCEPT' | 'DROP' | 'RETURN'): FelixAction => ({ words: `--jump ${name}`, target: verdict(name) })
/** Sets or clears bits of the mark. */
export const raise = (bit: number): FelixAction => ({ words: `--jump MARK --set-mark ${hex(bit)}/${hex(bit)}`, target: setMark(bit, bit) })
export const clear = (bits: number): FelixAction => ({ words: `--jump MARK --set-mark 0/${hex(bits)}`, target: setMark(0, bits) })
/** Sets bits of a mask, and clears its others. */
export const setTo = (bits: number, mask: number): FelixAction => ({ words: `--jump MARK --set-mark ${bits === 0 ? '0x0' : hex(bits)}/${hex(mask)}`, target: setMark(bits, mask) })
/** Hides behind the node. */
export const hide: FelixAction = { words: '--jump MASQUERADE --random-fully', target: hideAtRandom }
/** Leaves the packet out of connection tracking. */
export const untrack: FelixAction = { words: '--jump NOTRACK', target: { kind: 'target', name: 'NOTRACK', infos: {} } }
/** Does nothing: the rule's comment is all there is. */
export const nothing: FelixAction = { words: '', target: undefined }
