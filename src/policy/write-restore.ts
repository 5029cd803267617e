/** Compiled rules -> the texts that load them: for `iptables-restore --noflush` and `ipset restore`. */

import { writePrefix } from '../net/address.ts'
import { TABLE_HOOKS, TABLES } from '../ir/hooks.ts'
import type { TableName } from '../ir/hooks.ts'
import { ruleInWords } from './compiled.ts'
import type { CompiledIpset, CompiledRules } from './compiled.ts'

/** Returns the text for iptables-restore: with `--noflush` beside the rules of others, without it where whole tables are managed. */
export function writeRestore(rules: CompiledRules): string {
  return TABLES.filter(table => isUsed(rules, table)).map(table => writeTable(rules, table)).join('')
}

function isUsed({ chains, hooks }: CompiledRules, table: TableName): boolean {
  return chains.some(chain => chain.table === table) || hooks.some(hook => hook.table === table)
}

function writeTable({ chains, hooks, policies, managesAll }: CompiledRules, table: TableName): string {
  const own = chains.filter(chain => chain.table === table)
  const lines = [`*${table}`]
  if (managesAll) for (const hook of TABLE_HOOKS[table]) lines.push(`:${hook} ${table === 'filter' ? (policies[hook] ?? 'ACCEPT') : 'ACCEPT'} [0:0]`)
  for (const { name } of own) if (!managesAll || !TABLE_HOOKS[table].some(hook => hook === name)) lines.push(`:${name} - [0:0]`)
  for (const hook of hooks) if (hook.table === table) lines.push(`${hook.place === 'first' ? `-I ${hook.chain} 1` : `-A ${hook.chain}`} ${ruleInWords(hook.rule)}`)
  const parts: string[] = []
  for (const { name, rules } of own) for (const rule of rules) {
    if (lines.push(`-A ${name} ${ruleInWords(rule)}`) < PART) continue
    parts.push(lines.join('\n'))
    lines.length = 0
  }
  lines.push('COMMIT', '')
  parts.push(lines.join('\n'))
  return parts.join('\n')
}

/** So many lines are joined at a time: until then each is kept with all its parts. */
const PART = 1000

/** Returns the text for `ipset restore`: each set is made beside the one in use and takes its place at once. */
export function writeIpsets(ipsets: readonly CompiledIpset[]): string {
  return ipsets.map(({ name, family, prefixes, place }) => {
    const kind = `hash:net family ${family === 'ipv4' ? 'inet' : 'inet6'} maxelem ${Math.max(65536, prefixes.length * 2)}`
    return [`create ${name} ${kind} -exist`, `create gate-new ${kind}`, ...prefixes.map(prefix => `add gate-new ${writePrefix(prefix)}`), `swap gate-new ${name}`, 'destroy gate-new', ''].join('\n').replace(/^/, `# ${place}\n`)
  }).join('')
}
