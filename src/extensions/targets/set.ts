/** Source: iptables-extensions(8) "SET"; net/netfilter/xt_set.c set_target_v3(), set_target_v3_checkentry(). */

import type { Effect } from '../../meaning/effect.ts'
import { defineTarget } from '../extension.ts'
import type { InfosOf, Surroundings } from '../extension.ts'
import { ipsetReference } from '../ipset-types.ts'
import type { IpsetReference } from '../ipset-types.ts'
import { flag, wholeNumber } from '../option-types.ts'

const LONGEST_TIMEOUT = 0xfffffffe
const MAPPED = ['map-mark', 'map-prio', 'map-queue'] as const

type Options = {
  'add-set': IpsetReference; exist: true; timeout: number; 'del-set': IpsetReference
  'map-set': IpsetReference; 'map-mark': true; 'map-prio': true; 'map-queue': true
}

/** Kernel: what is looked up for --map-set is put on the packet as the entry's skbinfo says. A `!` before the sets is not looked at. */
export const setTarget = defineTarget<Options>({
  name: 'SET',
  doc: 'puts addresses, ports and marks of the packet into an ipset, or takes them out; the next rule follows',
  requiresOneOf: ['add-set', 'del-set', 'map-set'],
  options: {
    'add-set': { type: ipsetReference, invertible: true, doc: 'ipset that gets an entry' },
    exist: { type: flag, repeatable: true, requires: ['add-set'], doc: 'an entry that is there already gets the new timeout' },
    timeout: { type: wholeNumber(0, LONGEST_TIMEOUT, 'seconds'), repeatable: true, requires: ['add-set'], doc: 'timeout of the entry; 0: none' },
    'del-set': { type: ipsetReference, invertible: true, doc: 'ipset that loses the entry' },
    'map-set': { type: ipsetReference, invertible: true, doc: 'ipset whose entry says the mark, priority or queue of the packet' },
    'map-mark': { type: flag, repeatable: true, requires: ['map-set'], doc: 'the packet mark' },
    'map-prio': { type: flag, repeatable: true, requires: ['map-set'], doc: 'the priority' },
    'map-queue': { type: flag, repeatable: true, requires: ['map-set'], doc: 'the queue of the device' },
  },
  savedBy: (_backend, infos) => withoutInversion(infos),
  does: effectsOf,
  check: checkMap,
})

/** The `!` is gone. */
function withoutInversion(infos: InfosOf<Options>): InfosOf<Options> {
  return Object.fromEntries(Object.entries(infos).map(([name, use]) => [name, { ...use, inverted: false }])) as InfosOf<Options>
}

/** Kernel: it adds, then deletes, then looks up. */
function effectsOf(infos: InfosOf<Options>): readonly Effect[] {
  const { 'add-set': added, 'del-set': deleted, 'map-set': mapped } = infos
  return [
    ...(added ? [{ kind: 'ipset', change: 'add', ...added.value } as const] : []),
    ...(deleted ? [{ kind: 'ipset', change: 'delete', ...deleted.value } as const] : []),
    ...(mapped ? [{ kind: 'notModelled', words: `what ipset ${mapped.value.name} says of mark, priority and queue` } as const] : []),
  ]
}

function checkMap(infos: InfosOf<Options>, { table, hooks }: Surroundings): string | undefined {
  if (!infos['map-set']) return undefined
  if (!MAPPED.some(name => infos[name])) return '`--map-set` needs one of `--map-mark`, `--map-prio`, `--map-queue`'
  if (table !== 'mangle') return `\`--map-set\` works in table mangle only, not in ${table}`
  const wrong = infos['map-prio'] || infos['map-queue'] ? hooks.find(hook => hook === 'PREROUTING' || hook === 'INPUT') : undefined
  return wrong ? `\`--map-prio\` and \`--map-queue\` cannot be used in ${wrong}: the packet is not about to leave there` : undefined
}
