/** Why a rule does not match, in words. */

import { optionsInWords, useInWords } from '../extensions/option-words.ts'
import { matchDefinition } from '../extensions/registry.ts'
import type { TraceEvent } from '../simulate/trace-events.ts'
import type { Family } from '../net/address.ts'

/** Returns `no match: ` and the option that failed, or the whole match where it has no single one. */
export function missInWords({ failed, option }: Extract<TraceEvent, { kind: 'miss' }>, family: Family): string {
  const definition = matchDefinition(failed.name, family)
  const use = option === undefined ? undefined : failed.infos[option]
  const words = definition && option !== undefined && use ? optionsInWords(definition, { [option]: use }, family) : ''
  return `no match: ${words === '' ? useInWords(failed, family) : words}`
}
