/** The comments of rules that become one. */

import type { MatchUse, Rule } from '../../ir/ruleset.ts'

/** Bytes of a comment. Source: include/uapi/linux/netfilter/xt_comment.h XT_MAX_COMMENT_LEN. */
const MOST_BYTES = 255

/** Returns the matches without comments. */
export function withoutComments(matches: readonly MatchUse[]): readonly MatchUse[] {
  return matches.some(isComment) ? matches.filter(use => !isComment(use)) : matches
}

/** Returns the matches with these comments in place of their own: as many as there is room for, and a mark where some are left out. */
export function withComments(matches: readonly MatchUse[], texts: readonly string[]): readonly MatchUse[] {
  const others = withoutComments(matches)
  return texts.length === 0 ? others : [...others, { name: 'comment', infos: { comment: { value: joinTexts(texts), inverted: false } } }]
}

/** Returns what rules say in comments, each text once. */
export function commentsOf(rules: readonly Rule[]): readonly string[] {
  return [...new Set(rules.flatMap(({ matches }) => matches.filter(isComment).flatMap(({ infos }) => String(infos['comment']?.value ?? '').split(SEPARATOR))))].filter(text => text !== '' && text !== MORE)
}

const SEPARATOR = '; '
const MORE = '...'

/** Returns texts as one of at most 255 bytes. */
export function joinTexts(texts: readonly string[]): string {
  const fitting = (most: number): number => texts.findLastIndex((_, last) => bytesOf(texts.slice(0, last + 1).join(SEPARATOR)) <= most) + 1
  const all = fitting(MOST_BYTES)
  if (all === texts.length) return texts.join(SEPARATOR)
  return [...texts.slice(0, fitting(MOST_BYTES - bytesOf(SEPARATOR + MORE))), MORE].join(SEPARATOR)
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}

function isComment({ name }: MatchUse): boolean {
  return name === 'comment'
}
