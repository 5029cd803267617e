/** Source: iptables-extensions(8) "recent"; net/netfilter/xt_recent.c recent_mt(), recent_mt_check(). */

import type { Subject } from '../../meaning/subject.ts'
import { addressWidth, maskAddress, maskOfLength, writeAddress } from '../../net/address.ts'
import type { Address, Family } from '../../net/address.ts'
import { hostAddressType } from '../address-types.ts'
import { defineMatch, read } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'
import { visitList } from '../recent-list.ts'
import type { RecentList, Visit } from '../recent-list.ts'
import { text } from '../text-types.ts'

const COMMANDS = ['set', 'rcheck', 'update', 'remove'] as const
const otherThan = (name: string): readonly string[] => COMMANDS.filter(one => one !== name)
const side = (which: 'source' | 'dest'): OptionType<'source' | 'dest'> => ({ syntax: '', words: 0, read: () => read(which), write: () => [] })

/** Kernel: the list belongs to all rules with its name; the mask of the first of them is that of the list. */
export const recent = defineMatch({
  name: 'recent',
  doc: 'keeps lists of addresses and matches those seen lately',
  requiresOneOf: COMMANDS,
  options: {
    set: { type: flag, invertible: true, excludes: otherThan('set'), doc: 'puts the address on the list; always matches' },
    rcheck: { type: flag, invertible: true, excludes: otherThan('rcheck'), doc: 'matches an address that is on the list' },
    update: { type: flag, invertible: true, excludes: otherThan('update'), doc: 'the same, and a match counts as a visit' },
    remove: { type: flag, invertible: true, excludes: otherThan('remove'), doc: 'the same, and takes the address off the list' },
    seconds: { type: wholeNumber(1, 0xffffffff), doc: 'only visits within so many seconds count' },
    reap: { type: flag, requires: ['seconds'], doc: 'forgets an entry that is older' },
    hitcount: { type: wholeNumber(0, 0xffffffff), doc: 'so many visits are needed, at most 65535' },
    rttl: { type: flag, excludes: ['set', 'remove'], doc: 'the TTL must be that of the last visit' },
    name: { type: text(199, 'name'), doc: 'the list; DEFAULT where it is not given' },
    mask: { type: hostAddressType, doc: 'addresses of the list are masked with this' },
    rsource: {
      type: side('source'), repeatable: 'otherSpelling', spellings: { rdest: side('dest') },
      doc: 'the source address counts; with --rdest the destination address',
    },
  },
  print: printAll,
  check(infos) {
    const { name = 'DEFAULT', hits, isPlain } = partsOf(infos)
    if (name === '' || name.includes('/')) return `a list cannot be called \`${name}\``
    if (hits > 65535) return `\`--hitcount ${hits}\` is above 65535`
    return isPlain && (infos.seconds || hits > 0) ? '`--set` and `--remove` look at no earlier visits: `--seconds` and `--hitcount` cannot be used' : undefined
  },
  memory: {
    start: (): RecentList & { mask?: Address } => ({ entries: new Map() }),
    sharedBy: (infos: Infos) => `recent ${partsOf(infos).name ?? 'DEFAULT'}`,
    step(state, infos: Infos, subject, now) {
      const list = state as RecentList & { mask?: Address }
      list.mask ??= maskOf(infos, subject.packet.family)
      return visitList(list, visitOf(infos, subject, list.mask, now))
    },
  },
})

type Infos = InfosOf<{
  set: true; rcheck: true; update: true; remove: true; seconds: number; reap: true; hitcount: number; rttl: true; name: string; mask: Address; rsource: 'source' | 'dest'
}>

function partsOf(infos: Infos) {
  const command = COMMANDS.find(one => infos[one]) ?? 'set'
  return { command, inverted: infos[command]?.inverted ?? false, isPlain: command === 'set' || command === 'remove', hits: infos.hitcount?.value ?? 0, name: infos.name?.value }
}

function maskOf(infos: Infos, family: Family): Address {
  return infos.mask?.value ?? maskOfLength(family, addressWidth(family))
}

/** The name is not quoted, so that blanks in it do not survive the next load. */
function printAll(infos: Infos, family: Family): string {
  const { command, inverted, hits, name } = partsOf(infos)
  return [
    `${inverted ? '! ' : ''}--${command}`, ...(infos.seconds ? [`--seconds ${infos.seconds.value}`] : []), ...(infos.reap ? ['--reap'] : []),
    ...(hits > 0 ? [`--hitcount ${hits}`] : []), ...(infos.rttl ? ['--rttl'] : []), `--name ${name ?? 'DEFAULT'}`,
    `--mask ${writeAddress(maskOf(infos, family))}`, infos.rsource?.value === 'dest' ? '--rdest' : '--rsource',
  ].join(' ')
}

/** Kernel: the TTL counts as it was before forwarding. */
function visitOf(infos: Infos, { packet, outDevice }: Subject, mask: Address, now: number): Visit {
  const { command, inverted, hits } = partsOf(infos)
  const address = infos.rsource?.value === 'dest' ? packet.dst : packet.src
  return {
    command, inverted, now, hitCount: hits, reaps: infos.reap !== undefined, checksTtl: infos.rttl !== undefined,
    within: infos.seconds && infos.seconds.value * 1000, ttl: packet.ttl + (outDevice !== '' && !packet.socket ? 1 : 0),
    address: `${packet.family} ${maskAddress(address, mask)}`,
  }
}
