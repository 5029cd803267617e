/** The reference page of a code, and the list of all: from the words of the rule and its fixtures, so that no example stands twice. */

import type { CodeDescription } from '../lint/describe-code.ts'

/** A ruleset with what the linter prints of it; `fixed` is what its fixes make of it. */
export interface RuleExample {
  readonly text: string
  readonly printed: string
  readonly fixed?: string
}

/** The examples of a page. */
export interface RuleExamples {
  readonly bad: readonly RuleExample[]
  readonly good: readonly string[]
}

/** Texts of examples that are longer than this are cut in the middle; lines. */
const LONGEST = 30

/** Returns the words of a code for a terminal. */
export function codeInWords({ code, kind, severity, what, why, help }: CodeDescription): string {
  const lines = [`${code} (${severity}${kind === 'check' ? ', reported by `5x5 check` too' : ''})`, '', `${sentence(what)}`, `Why it matters: ${why}.`, ...(help === undefined ? [] : [`What to do: ${help}.`])]
  return `${lines.join('\n')}\n\nTo keep it: \`# 5x5-ignore ${code}: reason\` before the line, or \`rules: { ${code}: off }\` in fivebyfive.yaml.\n`
}

/** Returns the Markdown page of a rule. */
export function rulePage(description: CodeDescription, { bad, good }: RuleExamples): string {
  const { code, severity, what, why, help } = description
  return [
    `# ${code}`,
    `${sentence(what)} Reported as ${severity === 'error' ? 'an' : 'a'} **${severity}**.`,
    `**Why:** ${why}.`,
    ...(help === undefined ? [] : [`**What to do:** ${help}.`]),
    ...bad.map(example => exampleText(example)),
    ...(good.length === 0 ? [] : ['## What is right', ...good.map(text => fence('', text))]),
    `## To keep it\n\n${fence('', `# 5x5-ignore ${code}: why this is meant, until 2027-12-31`)}\n\nbefore the line, or \`rules: { ${code}: off }\` in \`fivebyfive.yaml\`.`,
  ].join('\n\n').concat('\n')
}

/** Returns the Markdown list of all rules. */
export function rulesPage(descriptions: readonly CodeDescription[]): string {
  const rows = descriptions.map(({ code, severity, what }) => `| [${code}](${code}.md) | ${severity} | ${what.replaceAll('|', '\\|')} |`)
  return `# Lint rules\n\nWhat \`5x5 lint\` reports beyond what loading refuses. \`5x5 explain CODE\` prints a page.\n\n| rule | | what |\n|---|---|---|\n${rows.join('\n')}\n`
}

function exampleText({ text, printed, fixed }: RuleExample): string {
  return ['## What is reported', fence('', cut(text)), fence('', cut(printed)), ...(fixed === undefined ? [] : ['With the fix:', fence('', cut(fixed))])].join('\n\n')
}

function cut(text: string): string {
  const lines = text.trimEnd().split('\n')
  return lines.length <= LONGEST ? lines.join('\n') : [...lines.slice(0, LONGEST / 2), '...', ...lines.slice(-LONGEST / 2)].join('\n')
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
