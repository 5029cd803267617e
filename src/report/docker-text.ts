/** A docker host in words: its networks, containers and published ports, and every rule with its reason. */

import { containerRows, networkRows, portRows } from '../docker/host-words.ts'
import type { DockerHost } from '../docker/model.ts'
import type { BookLine } from '../draft/rule-book.ts'
import type { Paint } from './paint.ts'

/** Returns the tables of networks, containers and published ports. */
export function writeHost(host: DockerHost, paint: Paint): string {
  const blocks = [writeTable('networks', networkRows(host), paint), writeTable('containers', containerRows(host), paint), writeTable('published ports', portRows(host), paint)]
  return blocks.filter(block => block !== '').join('\n')
}

/** Returns the rules chain by chain, each with its reason below. Chain policies are told where the engine sets them. */
export function writeReasons(lines: readonly BookLine[], paint: Paint): string {
  const chains = lines.filter(({ text, chain }) => chain !== undefined && text.startsWith(':'))
  const blocks = chains.flatMap(({ table: name, chain, text, policyReason }) => {
    const rules = lines.filter(line => line.table === name && line.chain === chain && line.text.startsWith('-A'))
    if (rules.length === 0 && policyReason === undefined) return []
    const words = rules.flatMap(({ text: rule, step }) => [`  ${rule.slice(`-A ${chain} `.length)}`, `      ${paint('faint', step ? step.reason : 'was there before')}`])
    const policy = policyReason === undefined ? [] : [`  chain policy ${text.split(' ')[1]}`, `      ${paint('faint', policyReason)}`]
    return [[paint('strong', `${name} ${chain}`), ...words, ...policy]]
  })
  return blocks.map(block => block.map(line => `${line}\n`).join('')).join('\n')
}

/** Returns rows in columns under a title; nothing where there are none. */
export function writeTable(title: string, rows: readonly (readonly string[])[], paint: Paint): string {
  if (rows.length === 0) return ''
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const lines = rows.map(row => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
  return `${paint('strong', title)}\n${lines.map(line => `${line}\n`).join('')}`
}
