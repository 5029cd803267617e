/** Random rulesets that could be shorter: rules told apart by one value, rules with memory, log lines, counts and counters among them. */

import { randomRules } from './random-rules.ts'
import type { Chance } from '../chance.ts'

const MEMORIES = [
  '-m limit --limit 1/hour --limit-burst 3', '-m recent --set --name r --mask 255.255.255.255 --rsource', '-m recent --rcheck --name r --mask 255.255.255.255 --rsource', '-m statistic --mode nth --every 2 --packet 0', '-m quota --quota 300',
]
const PORTS = ['22', '23', '53', '80', '81', '22:80', '1000:2000']
const ADDRESSES = ['10.0.0.0/25', '10.0.0.128/25', '10.0.0.1', '10.0.0.5', '10.0.0.4', '10.0.1.0/25', '10.0.1.7', '198.51.100.9', '198.51.100.8', '0.0.0.0/1', '128.0.0.0/1']
const STATES = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'NEW,ESTABLISHED']

/** Returns a ruleset as `iptables-save -c` would print it. */
export function looseRules(chance: Chance, tables: readonly string[]): string {
  return randomRules(chance, tables).split('\n').flatMap(line => (line.startsWith('-A') ? spread(chance, line) : [line])).map(line => (line.startsWith('-A') ? `[${chance.once(3) ? 0 : chance.below(500)}:1] ${line}` : line)).join('\n')
}

/** One rule as several that differ in a value, or with something that takes notice of packets; mostly as it is. */
function spread(chance: Chance, line: string): readonly string[] {
  const differing = (option: string, values: readonly string[]): readonly string[] => Array.from({ length: 2 + chance.below(3) }, () => withWords(line, `${option} ${chance.pick(values)}`))
  const hasPorts = / -p (tcp|udp) /.test(line) && !/--d?ports? /.test(line)
  switch (chance.below(9)) {
    case 0:
      return line.includes(' -s ') ? [line] : differing('-s', ADDRESSES)
    case 1:
      return line.includes(' -d ') ? [line] : differing('-d', ADDRESSES)
    case 2:
      return hasPorts ? differing('-m multiport --dports', PORTS) : [line]
    case 3:
      return line.includes('--ctstate') || line.includes('NOTRACK') ? [line] : differing('-m conntrack --ctstate', STATES)
    case 4:
      return [withWords(line, chance.pick(MEMORIES))]
    case 5:
      return [line, `${line.split(' ').slice(0, 2).join(' ')} -m comment --comment ${chance.pick(['a', 'b'])}`]
    default:
      return [line]
  }
}

function withWords(line: string, words: string): string {
  const at = line.search(/ -[jg] /)
  return at === -1 ? `${line} ${words}` : `${line.slice(0, at)} ${words}${line.slice(at)}`
}
