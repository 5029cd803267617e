/** Comments that are longer than the kernel keeps. */

import { adoptingRule } from '../adopt.ts'

export const commentCut = adoptingRule(
  { id: 'comment-cut', severity: 'note', what: 'the comment is cut', why: 'the kernel keeps 255 bytes of a comment: what stands behind is lost when the rules are saved again' },
  ({ code, message }) => code === 'silent-change' && message === 'the text is cut after 255 bytes',
)
