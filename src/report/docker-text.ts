/** A docker host in words: its networks, containers and published ports, and every rule with its reason. */

import { containerRows, networkRows, portRows } from '../docker/host-words.ts'
import type { DockerHost } from '../docker/model.ts'
import type { BookLine } from '../docker/rule-book.ts'
import type { Paint } from './paint.ts'

/** Returns the tables of networks, containers and published ports. */
export function writeHost(host: DockerHost, paint: Paint): string {
  const blocks = [table('networks', networkRows(host), paint), table('containers', containerRows(host), paint), table('published ports', portRows(host), paint)]
  return blocks.filter(block => block !== '').join('\n')
}

/** Returns the rules chain by chain, each with its reason below. Chain policies are told where the engine sets them. */
export function writeReasons(lines: readonly BookLine[], paint: Paint): string {
  let place = ''
  return lines.flatMap(({ text, table: name, chain, step }) => {
    if (chain === undefined || !text.startsWith('-A')) return []
    const here = `${name} ${chain}`
    const head = here === place ? [] : [`${place === '' ? '' : '\n'}${paint('strong', here)}`]
    place = here
    return [...head, `  ${text.slice(`-A ${chain} `.length)}`, `      ${paint('faint', step ? step.reason : 'was there before')}`]
  }).map(line => `${line}\n`).join('')
}

function table(title: string, rows: readonly (readonly string[])[], paint: Paint): string {
  if (rows.length === 0) return ''
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const lines = rows.map(row => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
  return `${paint('strong', title)}\n${lines.map(line => `${line}\n`).join('')}`
}
