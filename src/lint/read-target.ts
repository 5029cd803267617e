/** One text -> what the linter works on, and which texts belong to one host. */

import type { SourceFile } from '../diagnostics/source-file.ts'
import { checkRuleset } from '../extensions/check-ruleset.ts'
import type { Backend } from '../ir/hooks.ts'
import type { Family } from '../net/address.ts'
import { readRuleset } from '../save/read.ts'
import type { LintTarget } from './lint-rule.ts'

/** Family and backend where they are given; else the text tells the family, and both backends are asked. */
export interface ReadHow {
  readonly family?: Family
  readonly backend?: Backend
}

/** Reads and checks a text. Of a ruleset with unread lines nothing is said that one of these lines could change. */
export function readTarget(source: SourceFile, { family, backend }: ReadHow): LintTarget {
  const { value, diagnostics } = readRuleset([source], { ...(family === undefined ? {} : { family }), ...(backend === undefined ? {} : { backend }) })
  const about = checkRuleset(value, backend === undefined ? {} : { backend })
  const sure = value.partial ? about.filter(({ code }) => code !== 'unused-chain') : about
  const problems = [...diagnostics, ...sure].filter(problem => backend === undefined || problem.backend === undefined || problem.backend === backend)
  return { sources: [source], ruleset: value, family: value.family, problems }
}

/**
 * Returns the target of the other family that a target belongs to: the files are called alike but for what says the family
 * (`rules.v4` and `rules.v6`, `host.rules` and `host.rules6`, `iptables` and `ip6tables`).
 */
export function counterpartOf(target: LintTarget, targets: readonly LintTarget[]): LintTarget | undefined {
  const name = nameOf(target)
  const found = targets.filter(other => other.family !== target.family && nameOf(other) === name && name !== undefined)
  return found.length === 1 ? found[0] : undefined
}

/** Returns the other targets of the same host and family: those that another backend saved. */
export function siblingsOf(target: LintTarget, targets: readonly LintTarget[]): readonly LintTarget[] {
  const folder = folderOf(target)
  return targets.filter(other => other !== target && other.family === target.family && folderOf(other) === folder && stemOf(other) === stemOf(target))
}

function nameOf({ sources }: LintTarget): string | undefined {
  const path = sources[0]?.path
  return path?.replace(/ip6tables/g, 'iptables').replace(/\.rules6$/, '.rules').replace(/([-._])v[46](?=[-._]|$)/g, '$1v').replace(/([-._])ipv[46](?=[-._]|$)/g, '$1ip')
}

function folderOf({ sources }: LintTarget): string {
  const path = sources[0]?.path ?? ''
  return path.slice(0, path.lastIndexOf('/') + 1)
}

/** The name without what says the backend. */
function stemOf(target: LintTarget): string {
  return (nameOf(target) ?? '').replace(/([-._])(nft|legacy)(?=[-._]|$)/g, '')
}
