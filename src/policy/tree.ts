/** Reading Chevrotain's trees: children by name, as tokens or nodes. What error recovery made up counts as absent. */

import type { CstElement, CstNode, IToken } from 'chevrotain'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import type { Word, WholeNumber } from './ast.ts'

/** Thrown inside the tree builder where a broken sentence lacks a part; caught for each sentence or line. */
export class MissingPart extends Error {}

/** Returns the first node of a name, undefined where there is none. */
export function nodeOf(node: CstNode, name: string): CstNode | undefined {
  const first = node.children[name]?.[0]
  return first && isNode(first) && first.recoveredNode !== true ? first : undefined
}

/** Returns the first node of a name; a broken sentence without it ends here. */
export function nodeIn(node: CstNode, name: string): CstNode {
  const found = nodeOf(node, name)
  if (!found) throw new MissingPart()
  return found
}

/** Returns all nodes of a name. */
export function nodesOf(node: CstNode, name: string): readonly CstNode[] {
  const children = node.children[name]
  if (!children) return NO_NODES
  const nodes: CstNode[] = []
  for (const child of children) if (isNode(child) && child.recoveredNode !== true) nodes.push(child)
  return nodes
}

const NO_NODES: readonly CstNode[] = []

/** Returns the first token of a name, undefined where there is none. */
export function tokenOf(node: CstNode, name: string): IToken | undefined {
  const first = node.children[name]?.[0]
  return first && !isNode(first) && first.isInsertedInRecovery !== true ? first : undefined
}

/** Returns the first token of a name; a broken sentence without it ends here. */
export function tokenIn(node: CstNode, name: string): IToken {
  const found = tokenOf(node, name)
  if (!found) throw new MissingPart()
  return found
}

/** Returns the nth token of a name; a broken sentence without it ends here. */
export function nthTokenIn(node: CstNode, name: string, index: number): IToken {
  const found = node.children[name]?.[index]
  if (!found || isNode(found) || found.isInsertedInRecovery === true) throw new MissingPart()
  return found
}

/** Returns a token as a word; of `"text"` and `` `text` `` what stands inside. */
export function wordOf(source: SourceFile, token: IToken): Word {
  return { kind: 'word', text: plainText(token.image), span: spanOfToken(source, token) }
}

/** Returns a token as a number. */
export function numberOf(source: SourceFile, token: IToken): WholeNumber {
  return { kind: 'number', value: Number(token.image), span: spanOfToken(source, token) }
}

/** Returns the place of a token. */
export function spanOfToken(source: SourceFile, token: IToken): Span {
  return { source, start: token.startOffset, end: token.startOffset + token.image.length }
}

/** Returns the place of a node. */
export function spanOfNode(source: SourceFile, { location }: CstNode): Span {
  const start = location?.startOffset ?? 0
  return { source, start, end: (location?.endOffset ?? start - 1) + 1 }
}

function isNode(element: CstElement): element is CstNode {
  return 'children' in element
}

function plainText(image: string): string {
  const first = image.charCodeAt(0)
  if (first === 96) return image.slice(1, -1)
  if (first !== 34) return image
  return image.includes('\\') ? image.slice(1, -1).replace(/\\(.)/g, '$1') : image.slice(1, -1)
}
