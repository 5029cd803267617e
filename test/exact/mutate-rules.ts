/** Changes to rulesets, some of which change nothing that a packet could tell. */

import { randomRules } from './random-rules.ts'
import type { Chance } from '../chance.ts'

/** Returns the rules with one to three changes: a rule dropped, doubled, moved, taken from other rules, or with another target. */
export function mutateRules(chance: Chance, text: string, tables: readonly string[]): string {
  let changed = text
  for (let times = 1 + chance.below(3); times > 0; times--) changed = mutateOnce(chance, changed, tables)
  return changed
}

function mutateOnce(chance: Chance, text: string, tables: readonly string[]): string {
  const lines = text.split('\n')
  const places = lines.flatMap((line, index) => (line.startsWith('-A') ? [index] : []))
  if (places.length === 0) return text
  const at = chance.pick(places)
  const line = lines[at] ?? ''
  switch (chance.below(5)) {
    case 0:
      return lines.toSpliced(at, 1).join('\n')
    case 1:
      return lines.toSpliced(at, 0, line).join('\n')
    case 2:
      return lines[at + 1]?.startsWith(line.split(' ').slice(0, 2).join(' ')) ? lines.toSpliced(at, 2, lines[at + 1] ?? '', line).join('\n') : text
    case 3: {
      const other = randomRules(chance, tables).split('\n').find(one => one.startsWith(line.split(' ').slice(0, 2).join(' ')) && !/ -[jg] user/.test(one))
      return other === undefined ? text : lines.toSpliced(at, 0, other).join('\n')
    }
    default:
      return lines.with(at, line.includes('-j ACCEPT') ? line.replace('-j ACCEPT', '-j DROP') : line.replace(/-j (DROP|REJECT)$/, '-j ACCEPT')).join('\n')
  }
}
