/** Log prefixes that are longer than the kernel keeps. */

import { adoptingRule } from '../adopt.ts'

export const logPrefixCut = adoptingRule(
  { id: 'log-prefix-cut', severity: 'warning', what: 'the log prefix is cut', why: 'only its beginning is kept: a search of the log for the whole prefix finds nothing' },
  ({ code, message }) => code === 'silent-change' && (message === 'the text is cut after 29 bytes' || message.startsWith('the prefix is cut after')),
)
