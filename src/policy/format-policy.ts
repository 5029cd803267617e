/** A policy's text -> its formatted text, by the plugin. */

import { format } from 'prettier/standalone'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import { languages, parsers, printers } from './format.ts'
import { readPolicy } from './read.ts'

/** The columns that `5x5 fmt` fills. */
export const FORMAT_WIDTH = 120

/** The formatted text; absent where the text has errors. */
export interface FormattedPolicy {
  readonly text?: string
  readonly diagnostics: readonly Diagnostic[]
}

/** Formats a policy. Words and comments stay as they are, in their order; text with errors is not formatted. */
export async function formatPolicy(source: SourceFile): Promise<FormattedPolicy> {
  const { diagnostics } = readPolicy(source)
  if (diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics }
  const text = await format(source.text, { parser: 'gate', plugins: [{ languages, parsers, printers }], printWidth: FORMAT_WIDTH, filepath: source.path })
  return { text, diagnostics }
}
