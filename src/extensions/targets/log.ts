/** Source: iptables-extensions(8) "LOG"; net/netfilter/xt_LOG.c log_tg(). */

import { defineTarget, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { didYouMean } from '../did-you-mean.ts'
import { flag, readWholeNumber } from '../option-types.ts'
import { printQuoted, text } from '../text-types.ts'

const DEFAULT_LEVEL = 4
const LEVELS: Readonly<Record<string, number>> = { emerg: 0, panic: 0, alert: 1, crit: 2, error: 3, warning: 4, notice: 5, info: 6, debug: 7 }
const PREFIX_LIMIT = 29

const level: OptionType<number> = {
  syntax: 'level', words: 1,
  read([word = '']) {
    const named = Object.hasOwn(LEVELS, word) ? LEVELS[word] : undefined
    if (named !== undefined) return read(named)
    return /^\d/.test(word) ? readWholeNumber(word, 0, 7) : refuse(`there is no log level \`${word}\``, didYouMean(word, Object.keys(LEVELS)))
  },
  write: value => [String(value)],
}

const prefix: OptionType<string> = {
  ...text(PREFIX_LIMIT, 'text'),
  read: (words, family) => (words[0] === '' ? refuse('a log prefix is empty') : words[0]?.includes('\n') ? refuse('a log prefix has a line break') : text(PREFIX_LIMIT, 'text').read(words, family)),
}

/** Logs and lets the packet go on. Kernel: the prefix is cut after 29 bytes. */
export const logTarget = defineTarget({
  name: 'LOG',
  doc: 'writes the packet to the kernel log; the next rule follows',
  options: {
    'log-prefix': { type: prefix, print: printQuoted('--log-prefix'), doc: 'text before the message, at most 29 bytes' },
    'log-level': { type: level, omitted: use => use.value === DEFAULT_LEVEL, doc: 'level by number or name; warning where it is not given' },
    'log-tcp-sequence': { type: flag, doc: 'TCP sequence numbers too' },
    'log-tcp-options': { type: flag, doc: 'TCP options too' },
    'log-ip-options': { type: flag, doc: 'IP options too' },
    'log-uid': { type: flag, doc: 'the user of the socket too' },
    'log-macdecode': { type: flag, doc: 'MAC addresses decoded' },
  },
  does(infos) {
    const words = infos['log-prefix']?.value
    return [{ kind: 'observe', words: words === undefined ? 'logged' : `logged as \`${words.trim()}\`` }]
  },
})
