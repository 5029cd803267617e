/** Rules of both families from a generator, over what was there before. */

import { textOfLines } from '../../src/draft/rule-book.ts'
import type { BookLine } from '../../src/draft/rule-book.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import type { HostRules } from '../docker/host-rules.ts'
import { DOCKER_FILES } from '../docker/rule-files.ts'

/** Makes the rules of a family, over those that were there before. */
export type Generate = (family: Family, base: Ruleset | undefined) => readonly BookLine[]

/** What is known beside the generator; `folder` is what reports call the place of the files. */
export interface GenerateOptions {
  readonly base: readonly Ruleset[]
  /** One family only. */
  readonly family?: Family | undefined
  readonly folder?: string
}

/** Returns the rules of each family; a family without any is left out, unless it was asked for. */
export function generatedRules(generate: Generate, { base, family: only, folder = '' }: GenerateOptions): readonly HostRules[] {
  const all = (['ipv4', 'ipv6'] as const).map(family => {
    const lines = generate(family, base.find(ruleset => ruleset.family === family))
    return { family, lines, source: { path: `${folder}${DOCKER_FILES[family]}`, text: textOfLines(lines) } }
  })
  const wanted = all.filter(({ family, lines }) => (only === undefined ? lines.length > 0 : family === only))
  return wanted.length > 0 ? wanted : all.slice(0, 1)
}
