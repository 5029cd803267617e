/** Uses -> the words that iptables-save prints for them. */

import { quoteWord } from '../../grammar/save-words.ts'
import type { Backend } from '../ir/hooks.ts'
import type { MatchUse, OptionUse, TargetUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import type { ExtensionDefinition, OptionRow } from './extension.ts'
import { matchDefinition, targetDefinition } from './registry.ts'

/** Returns the text of a match use that a backend's save prints, such as `-m tcp --dport 80`; `-s 10.0.0.0/8 -p tcp` for the options of ip. */
export function useInWords(use: MatchUse, family: Family, backend: Backend = 'legacy'): string {
  if (use.words) return ['-m', use.name, ...use.words.map(quoteUnread)].join(' ')
  const definition = matchDefinition(use.name, family)
  const infos = definition?.savedBy ? definition.savedBy(backend, use.infos) : use.infos
  if (!infos) return ''
  const options = definition ? optionsInWords(definition, infos, family) : ''
  return use.name === 'ip' ? options : joinWords(`-m ${use.name}`, options)
}

/** Returns the text of a target use that a backend's save prints, such as `-j DNAT --to-destination 10.0.0.1`. */
export function targetInWords(use: TargetUse, family: Family, backend: Backend = 'legacy'): string {
  if (use.kind !== 'target') return `${use.kind === 'goto' ? '-g' : '-j'} ${use.chain}`
  if (use.words) return ['-j', use.name, ...use.words.map(quoteUnread)].join(' ')
  const definition = targetDefinition(use.name, family)
  const infos = definition?.savedBy ? definition.savedBy(backend, use.infos) : use.infos
  return joinWords(`-j ${use.name}`, definition && infos ? optionsInWords(definition, infos, family) : '')
}

/** Returns the saved text of the options given, in row order. */
export function optionsInWords(definition: ExtensionDefinition, infos: Readonly<Record<string, OptionUse | undefined>>, family: Family): string {
  if (definition.print) return definition.print(infos, family)
  let text = ''
  for (const name in definition.options) {
    const row = definition.options[name]
    if (!row) continue
    const use = infos[name] ?? (row.default === undefined ? undefined : { value: row.default, inverted: false })
    if (use && !row.omitted?.(use, family)) text = joinWords(text, optionInWords(name, row, use, family))
  }
  return text
}

function optionInWords(name: string, row: OptionRow<unknown>, use: OptionUse, family: Family): string {
  const printed = row.print ? (row.print(use, family) ?? '') : joinWords(`--${name}`, row.type.write(use.value, family).map(quoteUnread).join(' '))
  return use.inverted && printed !== '' ? `! ${printed}` : printed
}

/** Words are quoted only where the shell-like reader would split or change them; strings that users chose quote themselves by `print`. */
function quoteUnread(word: string): string {
  return word === '' || /[\s"\\']/.test(word) ? quoteWord(word) : word
}

function joinWords(left: string, right: string): string {
  return left === '' ? right : right === '' ? left : `${left} ${right}`
}
