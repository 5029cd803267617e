/** Source: iptables-extensions(8) "CT", "NOTRACK"; net/netfilter/xt_CT.c xt_ct_target(), xt_ct_tg_check(). */

import type { Effect } from '../../meaning/effect.ts'
import { defineTarget, read } from '../extension.ts'
import type { OptionType, OptionUseOf } from '../extension.ts'
import { exactNames } from '../name-lists.ts'
import { flag, readWholeNumber } from '../option-types.ts'
import { text } from '../text-types.ts'

/** A conntrack zone: an id or the packet mark; for one direction only, or both. */
interface Zone {
  readonly id: number | 'mark'
  readonly direction?: 'original' | 'reply'
}

const events = exactNames([['new', 1], ['related', 2], ['destroy', 4], ['reply', 8], ['assured', 16], ['protoinfo', 32], ['helper', 64], ['mark', 128], ['natseqinfo', 256], ['secmark', 512]], 'event')
const expectationEvents = exactNames([['new', 1]], 'event')

/** Kernel: a packet that has a connection already (loopback) is left alone. Zone 0 is the usual one and is not printed. */
export const ctTarget = defineTarget({
  name: 'CT',
  doc: 'says how the connection is to be tracked; the next rule follows',
  tables: ['raw'],
  options: {
    notrack: { type: flag, doc: 'the packet is not tracked' },
    helper: { type: text(15, 'name'), print: use => `--helper ${use.value}`, doc: 'helper that watches the connection' },
    timeout: { type: text(31, 'name'), print: use => `--timeout ${use.value}`, doc: 'timeout policy of the connection' },
    ctevents: { type: events, doc: 'events that are reported' },
    expevents: { type: expectationEvents, doc: 'expectation events that are reported' },
    zone: {
      type: zone(undefined), repeatable: 'otherSpelling', spellings: { 'zone-orig': zone('original'), 'zone-reply': zone('reply') },
      merge: (earlier, later) => ({ value: joinZones(earlier.value, later.value), inverted: false }),
      omitted: use => use.value.id === 0, print: printZone,
      doc: 'zone of the connection: a number, or mark for the packet mark; --zone-orig and --zone-reply for one direction',
    },
  },
  does(infos): readonly Effect[] {
    if (infos.notrack) return [{ kind: 'untrack' }]
    const use = infos.zone?.value
    const zoned = use ? { ...(use.id === 'mark' ? { zoneFromMark: true } : { zone: use.id }), ...(use.direction ? { zoneDirection: use.direction } : {}) } : {}
    return [{ kind: 'track', ...zoned, ...(infos.helper ? { helper: infos.helper.value } : {}) }]
  },
  check(infos, { protocol }) {
    if (infos.notrack || protocol === undefined ? false : !protocol.inverted) return undefined
    return !infos.notrack && (infos.helper || infos.timeout) ? '`--helper` and `--timeout` need `-p`, not inverted' : undefined
  },
})

/** NOTRACK is CT --notrack under its old name, which the save keeps. */
export const notrackTarget = defineTarget({
  name: 'NOTRACK',
  doc: 'keeps the packet out of connection tracking; the older form of CT --notrack',
  tables: ['raw'],
  options: {},
  does: () => [{ kind: 'untrack' }],
})

function zone(direction: 'original' | 'reply' | undefined): OptionType<Zone> {
  const given = direction === undefined ? {} : { direction }
  return {
    syntax: 'number|mark', words: 1,
    read([word = '']) {
      if (word.toLowerCase() === 'mark') return read({ id: 'mark', ...given })
      const id = readWholeNumber(word, 0, 65535)
      return id.ok ? read({ id: id.value, ...given }) : id
    },
    write: value => [String(value.id)],
  }
}

/** The number given last counts, unless the mark was given before; both directions together are none. */
function joinZones(earlier: Zone, later: Zone): Zone {
  const direction = earlier.direction && later.direction ? undefined : (earlier.direction ?? later.direction)
  return { id: earlier.id === 'mark' ? 'mark' : later.id, ...(direction ? { direction } : {}) }
}

function printZone({ value }: OptionUseOf<Zone>): string {
  return `--zone${value.direction === 'original' ? '-orig' : value.direction === 'reply' ? '-reply' : ''} ${value.id}`
}
