/** `5x5 docs [NAME...]` */

import { didYouMean } from '../../src/extensions/did-you-mean.ts'
import { entriesNamed, entryText, referenceEntries, referencePage } from '../../src/extensions/reference.ts'
import type { ReferenceEntry } from '../../src/extensions/reference.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'

const help = `5x5 docs prints the reference of all matches and targets, or of those named, as Markdown.

usage: 5x5 docs [flags] [NAME...]

  --json   print [{"kind", "name", "aliases", "doc", "families", "conditions", "options": [{"name", "spellings",
           "invertible", "doc", "notes"}]}]

NAME is that of a match (tcp, conntrack) or a target (DNAT, LOG); \`ip\` are the options that need no -m, such as -s;
\`rules\` is the list of the lint rules, which 5x5 explain CODE tells more of.

examples:
  5x5 docs tcp
  5x5 docs MASQUERADE
  5x5 docs > iptables-reference.md

exit code: 0 done, 2 there is no such match or target
`

/** The command. */
export const docs: Command = {
  help,
  flags: { json: { type: 'boolean' } },
  words: async () => [...new Set(['ip', 'rules', ...referenceEntries().map(({ name }) => name)])],
  async run(values, names, { out }) {
    if (names.length === 1 && names[0] === 'rules') {
      const { RULES } = await import('../../src/lint/registry.ts')
      const width = Math.max(...RULES.map(({ id }) => id.length))
      out(RULES.map(({ id, severity, what }) => `${id.padEnd(width)}  ${severity.padEnd(7)}  ${what}\n`).join(''))
      return EXIT.clean
    }
    const all = referenceEntries()
    const entries = names.length === 0 ? all : names.flatMap(name => named(all, name))
    if (values['json']) out(`${JSON.stringify(entries, undefined, 2)}\n`)
    else out(names.length === 0 ? referencePage(all) : entries.map(entryText).join('\n'))
    return EXIT.clean
  },
}

function named(all: readonly ReferenceEntry[], name: string): readonly ReferenceEntry[] {
  const found = entriesNamed(all, name)
  if (found.length === 0) throw commandError(`there is no match or target \`${name}\``, didYouMean(name, all.flatMap(entry => [entry.name, ...entry.aliases])) ?? '5x5 docs lists all of them')
  return found
}
