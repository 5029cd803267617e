/** Rules, policies and the kernel as those who decide over sets of packets. */

import type { Decider, FateKind } from '../symbolic/fate.ts'
import type { Condition } from '../analyze/replay.ts'
import { placeOf } from './rule-words.ts'

const VERBS: Readonly<Record<FateKind, string>> = { local: 'accepts', forward: 'accepts', sent: 'accepts', drop: 'drops', reject: 'rejects', queue: 'hands to user space', stolen: 'takes away' }

/** Returns `main.rules:12 accepts`, `the FORWARD policy drops`. */
export function deciderInWords(by: Decider | undefined, kind: FateKind): string {
  if (!by) return 'no rule says anything'
  switch (by.kind) {
    case 'rule':
      return `${placeOf(by.rule)} ${verbOf(by, kind)}`
    case 'policy':
      return `the ${by.chain.name} policy${by.table === 'filter' ? '' : ` of table ${by.table}`}${inNamespace(by)} ${VERBS[kind]}`
    default:
      return `the kernel${inNamespace(by)} (${REASONS[by.reason] ?? by.reason.replaceAll('-', ' ')}) ${VERBS[kind]}`
  }
}

function inNamespace({ namespace }: Decider): string {
  return namespace === undefined ? '' : ` of ${namespace}`
}

/** What the name of a reason does not tell by itself. */
const REASONS: Readonly<Record<string, string>> = {
  circles: 'they go round until their ttl is used up', 'endless-loop': 'they come in over lo without end', 'neighbour-unknown': 'nobody answers for the next hop', 'nobody-takes-it': 'the frame finds nobody who takes it', 'no-listener': 'nobody listens there',
}

function verbOf(by: Extract<Decider, { kind: 'rule' }>, kind: FateKind): string {
  const isThrough = kind === 'local' || kind === 'forward' || kind === 'sent'
  return isThrough && by.table === 'nat' ? 'translates' : VERBS[kind]
}

/** Returns a decider for JSON. */
export function deciderJson(by: Decider | undefined): unknown {
  if (!by) return null
  const namespace = by.namespace === undefined ? {} : { namespace: by.namespace }
  if (by.kind === 'kernel') return { kind: by.kind, ...namespace, reason: by.reason }
  const place = { kind: by.kind, ...namespace, hook: by.hook, table: by.table, chain: by.chain.name }
  return by.kind === 'rule' ? { ...place, number: by.number, place: placeOf(by.rule) } : place
}

/** Returns "only if `-m limit ...` (main.rules:7) matches"; empty where nothing has to be so. */
export function conditionsInWords(conditions: readonly Condition[]): string {
  const parts = conditions.slice(0, 3).map(({ variable: { words, rules }, value }) => {
    const [rule] = rules
    return `\`${words}\`${rule ? ` at ${placeOf(rule)}` : ''} ${value ? 'matches' : 'does not match'}`
  })
  if (conditions.length > 3) parts.push(`${conditions.length - 3} more are so`)
  return parts.length === 0 ? '' : `if ${parts.join(' and ')}`
}
