/** One condition of a predicate as a piece of a sentence about packets. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import type { DevicePattern } from '../net/device-name.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import { ADDRESS_TYPE, CT_STATE, DEVICE_FIELDS, fieldRow } from './fields.ts'
import { isEveryValue, onlyValue } from './plain-form.ts'
import type { Condition, FieldTerm } from './plain-form.ts'
import { bitNames, icmpInWords, listInWords, valuesInWords } from './values-in-words.ts'

/**
 * Where a piece stands: `state`, `before` packets `of` `from` `to` `with` `that`; `source` and `destination` ports follow the addresses; what
 * the packets themselves do not tell comes last, behind `if` or `unless`.
 */
export type Place = 'state' | 'before' | 'of' | 'from' | 'source' | 'to' | 'destination' | 'with' | 'that' | 'if' | 'unless'

/** A piece: `words` for its place (without from, to, with or that), and `clause`, which follows "packets that". */
export interface Phrase {
  readonly place: Place
  readonly words: string
  readonly clause: string
}

type Values = Extract<Condition, { kind: 'values' }>
type Bits = Extract<Condition, { kind: 'bits' }>
type Devices = Extract<Condition, { kind: 'device' }>

/** Returns the piece for one condition. */
export function conditionInWords(term: Condition): Phrase {
  switch (term.kind) {
    case 'values':
      return valuesPhrase(term)
    case 'bits':
      return bitsPhrase(term)
    case 'icmp':
      return typePhrase(icmpInWords(term.type, term.code), term.negated)
    case 'device':
      return that(deviceClause(term))
    case 'ipset':
      return that(`${term.negated ? 'are not' : 'are'} in ipset ${term.name} by ${term.directions.map(direction => (direction === 'src' ? 'source' : 'destination')).join(' and ')}`)
    case 'opaque':
      return opaquePhrase(term.words, term.negated)
    default:
      return assertNever(term)
  }
}

function that(clause: string): Phrase {
  return { place: 'that', words: clause, clause }
}

function valuesPhrase({ field, of, negated }: Values): Phrase {
  const list = valuesInWords(of, negated ? 'and' : 'or')
  switch (field) {
    case 'ip.src':
      return { place: 'from', words: negated ? `anywhere but ${list}` : list, clause: `${negated ? 'do not come' : 'come'} from ${valuesInWords(of, 'or')}` }
    case 'ip.dst':
      return { place: 'to', words: negated ? `anywhere but ${list}` : list, clause: `${negated ? 'do not go' : 'go'} to ${valuesInWords(of, 'or')}` }
    case 'l4.sport':
    case 'l4.dport':
      return portPhrase(field === 'l4.sport', of, negated)
    case 'ip.protocol':
      if (negated) return { place: 'of', words: `any protocol but ${list}`, clause: `are not ${valuesInWords(of, 'or')} packets` }
      return { place: 'before', words: list, clause: `are ${list} packets` }
    case 'packetType':
      return negated ? that(`are not ${valuesInWords(of, 'or')} frames`) : { place: 'before', words: list, clause: `are ${list} frames` }
    case 'tcp.flags':
      return flagsPhrase(of, negated)
    case 'icmp.type':
    case 'icmp6.type':
      return typePhrase(listInWords(of.map(type => icmpInWords(type)), 'or'), negated)
    case 'ip.fragmentOffset':
      return that((onlyValue(of) === 0) === negated ? 'are second or further fragments' : 'are whole or first fragments')
    default:
      return otherPhrase({ kind: 'values', field, of, negated }, list)
  }
}

function portPhrase(isSource: boolean, of: readonly FieldTerm[], negated: boolean): Phrase {
  const isRange = of.some(term => term.kind !== 'within' || term.low !== term.high)
  const ports = `${isRange ? 'ports' : 'port'} ${valuesInWords(of, 'or')}`
  const words = negated ? `any port but ${valuesInWords(of, 'and')}` : ports
  return { place: isSource ? 'source' : 'destination', words, clause: `${negated ? 'do not ' : ''}${isSource ? 'come from' : 'go to'} ${ports}` }
}

function typePhrase(type: string, negated: boolean): Phrase {
  return negated ? that(`are not of ICMP type ${type}`) : { place: 'of', words: `type ${type}`, clause: `are of ICMP type ${type}` }
}

/** "with SYN set, but not FIN, RST or ACK". */
function flagsPhrase(of: readonly FieldTerm[], negated: boolean): Phrase {
  const [only] = of
  if (negated && of.length === 1 && only?.kind === 'masked' && [1, 2, 4, 8, 16, 32].includes(Number(only.mask))) {
    const words = `${bitNames('tcp.flags', Number(only.mask)).join('')} ${Number(only.value) === 0 ? 'set' : 'not set'}`
    return { place: 'with', words, clause: `have ${words}` }
  }
  const words = of.map(term => {
    const [mask, set] = term.kind === 'masked' ? [Number(term.mask), Number(term.value)] : [0xff, Number(term.low)]
    const isSet = bitNames('tcp.flags', set)
    const isClear = bitNames('tcp.flags', mask & ~set)
    const all = mask === (TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.PSH | TCP_FLAG.ACK | TCP_FLAG.URG)
    if (isSet.length === 0) return all ? 'no TCP flag set' : `${isClear.length === 1 ? '' : 'none of '}${listInWords(isClear, 'and')} ${isClear.length === 1 ? 'not ' : ''}set`
    if (isClear.length === 0) return `${all ? 'all TCP flags' : listInWords(isSet, 'and')} set`
    return `${listInWords(isSet, 'and')} set, but ${all ? 'no other TCP flag' : `not ${listInWords(isClear, 'or')}`}`
  })
  return negated ? that(`are not ones with ${words.join(' or ')}`) : { place: 'with', words: words.join(' or '), clause: `have ${words.join(' or ')}` }
}

/** Verbs for fields that have one; the rest "have" their field. */
const VERBS: Readonly<Record<string, readonly [positive: string, negative: string]>> = {
  'socket.uid': ['are sent by user', 'are not sent by user'],
  'socket.gid': ['are sent by group', 'are not sent by group'],
}

function otherPhrase({ field, of, negated }: Values, list: string): Phrase {
  if (of.every(isEveryValue)) return negated ? that(`have no ${fieldRow(field).words}`) : { place: 'with', words: `a ${fieldRow(field).words}`, clause: `have a ${fieldRow(field).words}` }
  const types = field.startsWith('addressType.') ? of.map(onlyOf) : []
  if (types.length > 0 && types.every(type => type !== undefined)) {
    const bits = types.reduce((sum, type) => sum | type, 0)
    const others = EVERY_TYPE & ~bits
    const isShorter = bitNames(field, others).length < types.length
    return addressTypePhrase({ kind: 'bits', field, bits: isShorter ? others : bits, negated: negated !== isShorter }, bitNames(field, isShorter ? others : bits))
  }
  const verbs = VERBS[field]
  const only = onlyValue(of)
  if (field === 'socket.exists') return that((only === 1) === negated ? 'are not sent by a socket of this host' : 'are sent by a socket of this host')
  if (field === 'bridge.forwarded') return that((only === 1) === negated ? 'are not bridged' : 'are bridged')
  if (field === 'ct.direction') return that(`${negated ? 'do not go' : 'go'} in the ${list} direction of their connection`)
  if (verbs) return that(`${verbs[negated ? 1 : 0]} ${list}`)
  const words = bitMaskWords(field, of) ?? `${field.startsWith('ct.') && fieldRow(field).words.includes("'s") ? 'the ' : ''}${nameAndValues(field, of)}`
  return negated ? that(`do not have ${words}`) : { place: 'with', words, clause: `have ${words}` }
}

const EVERY_TYPE = Object.values(ADDRESS_TYPE).reduce((sum, type) => sum | type, 0)

function onlyOf(term: FieldTerm): number | undefined {
  return term.kind === 'within' && term.low === term.high ? Number(term.low) : undefined
}

/** The TOS byte has two parts with names of their own. */
function nameAndValues(field: Values['field'], of: readonly FieldTerm[]): string {
  const [term] = of
  if (field === 'ip.tos' && of.length === 1 && term?.kind === 'masked') {
    if (Number(term.mask) === 0xfc) return `dscp ${Number(term.value) >> 2}`
    if (Number(term.mask) === 0x03) return `ecn ${Number(term.value)}`
  }
  return `${fieldRow(field).words} ${valuesInWords(of, 'or')}`
}

/** "bit 0x4000 of the mark set"; undefined for anything but one test of some bits. */
function bitMaskWords(field: Values['field'], of: readonly FieldTerm[]): string | undefined {
  const [term] = of
  if (term?.kind !== 'masked' || of.length > 1 || (field === 'ip.tos' && Number(term.mask) === 0xfc)) return undefined
  const mask = BigInt(term.mask)
  if (field === 'tcp.options') return `TCP option ${mask.toString(2).length - 1}`
  const value = BigInt(term.value)
  if (mask === 0xffffffffn || (value !== mask && value !== 0n)) return undefined
  return `${(mask & (mask - 1n)) === 0n ? 'bit' : 'bits'} 0x${mask.toString(16)} of the ${fieldRow(field).words} ${value === 0n ? 'clear' : 'set'}`
}

function bitsPhrase({ field, bits, negated }: Bits): Phrase {
  const names = bitNames(field, bits)
  if (field === 'ct.state') return statePhrase(bits, names, negated)
  if (field.startsWith('addressType.')) return addressTypePhrase({ kind: 'bits', field, bits, negated }, names)
  return negated ? that(`do not have ${fieldRow(field).words} ${listInWords(names, 'or')}`) : { place: 'with', words: `${fieldRow(field).words} ${listInWords(names, 'or')}`, clause: `have ${fieldRow(field).words} ${listInWords(names, 'or')}` }
}

const CONNECTED = CT_STATE.NEW | CT_STATE.ESTABLISHED | CT_STATE.RELATED

function statePhrase(bits: number, names: readonly string[], negated: boolean): Phrase {
  const list = listInWords(names, 'or')
  if ((bits & ~CONNECTED) === 0) {
    if (negated) return that(`belong to no ${list} connection`)
    return { place: bits === CT_STATE.NEW ? 'state' : 'of', words: bits === CT_STATE.NEW ? 'new' : `${list} connections`, clause: `belong to ${bits === CT_STATE.ESTABLISHED ? 'an' : 'a'} ${list} connection` }
  }
  if (bits === (CT_STATE.INVALID | CT_STATE.UNTRACKED)) return that(negated ? 'belong to a connection' : 'belong to no connection')
  if (bits === CT_STATE.INVALID || bits === CT_STATE.UNTRACKED) return negated ? that(`are not ${list}`) : { place: 'state', words: list, clause: `are ${list}` }
  const translated = [...(bits & CT_STATE.SNAT ? ['source'] : []), ...(bits & CT_STATE.DNAT ? ['destination'] : [])].join(' or ')
  if ((bits & ~(CT_STATE.SNAT | CT_STATE.DNAT)) === 0) return that(`${negated ? 'do not belong' : 'belong'} to a connection with translated ${translated}`)
  return that(`${negated ? 'are not' : 'are'} in connection state ${listInWords(names.map(name => (name === 'snat' ? 'source translated' : name === 'dnat' ? 'destination translated' : name)), 'or')}`)
}

/** "to a local address", "to an address that is local on the input device". */
function addressTypePhrase({ field, bits, negated }: Bits, names: readonly string[]): Phrase {
  const isSource = field.includes('.src')
  const list = listInWords(names, negated ? 'nor' : 'or')
  const where = field.endsWith('.in') ? ' on the input device' : field.endsWith('.out') ? ' on the output device' : ''
  const isVowel = /^[aeiou]/.test(list) && bits !== ADDRESS_TYPE.UNICAST
  const address = where === '' && !negated ? `${isVowel ? 'an' : 'a'} ${list} address` : `an address that is ${negated ? (names.length > 1 ? 'neither ' : 'not ') : ''}${list}${where}`
  return { place: isSource ? 'from' : 'to', words: address, clause: `${isSource ? 'come from' : 'go to'} ${address}` }
}

function deviceClause({ field, of, negated }: Devices): string {
  const verb = { 'device.in': 'arrive on', 'device.out': 'leave by', 'bridge.in': 'come in through bridge port', 'bridge.out': 'go out through bridge port' }[field]
  const named = of.filter(({ name, prefix }) => name !== '' || prefix)
  if (named.length === 0) return `${negated ? 'have a' : 'have no'} ${DEVICE_FIELDS[field].words}`
  if (named.length < of.length && negated) return `${verb} any device but ${listInWords(devicesInWords(named, 'those whose names begin'), 'and')}`
  const list = listInWords(devicesInWords(named, 'any device whose name begins'), 'or')
  if (named.length < of.length) return `have no ${DEVICE_FIELDS[field].words} or ${verb} ${list}`
  return `${negated ? 'do not ' : ''}${field.startsWith('bridge') ? verb.replace(/port$/, list.startsWith('any') ? '' : 'port').trimEnd() : verb} ${list}`
}

/** Single names first: "lo or any device whose name begins with eth or br-". */
function devicesInWords(patterns: readonly DevicePattern[], those: string): readonly string[] {
  const names = patterns.filter(({ prefix }) => !prefix).map(({ name }) => name)
  const beginnings = patterns.filter(({ prefix }) => prefix).map(({ name }) => name)
  return beginnings.length === 0 ? names : [...names, beginnings.includes('') ? 'any device' : `${those} with ${listInWords(beginnings, 'or')}`]
}

/** Words of a rule stand in backticks; a sentence of an extension or of the network is a condition. */
function opaquePhrase(words: string, negated: boolean): Phrase {
  if (words.startsWith('-')) return that(`${negated ? 'do not match' : 'match'} \`${words}\``)
  return { place: negated ? 'unless' : 'if', words, clause: `${negated ? 'do not fulfil' : 'fulfil'} "${words}"` }
}
