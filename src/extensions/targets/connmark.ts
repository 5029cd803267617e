/** Source: iptables-extensions(8) "CONNMARK"; net/netfilter/xt_connmark.c connmark_tg_shift(); extensions/libxt_CONNMARK.c connmark_tg_parse_v2(). */

import type { Effect } from '../../meaning/effect.ts'
import { defineTarget, read } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { bits32, MARK_SPELLINGS, xorMark } from '../mark-types.ts'
import type { MarkMask } from '../mark-types.ts'
import { flag, readWholeNumber } from '../option-types.ts'

const OPERATIONS = ['set-xmark', 'save-mark', 'restore-mark']
const ALL_BITS = 0xffffffff

/** Kernel: a packet without a connection goes on unchanged. The masks are printed with --save-mark and --restore-mark only, --mask as both. */
export const connmarkTarget = defineTarget({
  name: 'CONNMARK',
  doc: 'changes the mark of the connection, or copies it from or to the packet mark; the next rule follows',
  requiresOneOf: ['set-xmark', 'save-mark', 'restore-mark'],
  options: {
    'set-xmark': {
      type: xorMark, spellings: MARK_SPELLINGS, excludes: OPERATIONS.filter(name => name !== 'set-xmark'), forgets: () => ['ctmask', 'mask'],
      doc: 'of the connection mark the bits of the mask are cleared, then those of the value flipped',
    },
    'save-mark': { type: flag, excludes: ['set-xmark', 'restore-mark'], doc: 'packet mark under nfmask goes to the connection mark, whose ctmask bits are cleared before' },
    'restore-mark': { type: flag, excludes: ['set-xmark', 'save-mark'], doc: 'connection mark under ctmask goes to the packet mark, whose nfmask bits are cleared before' },
    nfmask: { type: bits32, excludes: ['mask'], doc: 'bits of the packet mark that count; all where it is not given' },
    ctmask: { type: bits32, excludes: ['mask'], doc: 'bits of the connection mark that count; all where it is not given' },
    mask: { type: bits32, excludes: ['nfmask', 'ctmask'], doc: 'both masks' },
    'left-shift-mark': {
      type: shift(1), repeatable: 'otherSpelling', spellings: { 'right-shift-mark': shift(-1) },
      doc: 'the value is shifted by so many bits, less than 32; with --right-shift-mark to the right',
    },
  },
  print: printAll,
  does: infos => [effectOf(infos)],
})

type Infos = InfosOf<{ 'set-xmark': MarkMask; 'save-mark': true; 'restore-mark': true; nfmask: number; ctmask: number; mask: number; 'left-shift-mark': number }>

function printAll(infos: Infos): string {
  const set = setMark(infos)
  const { nfmask, ctmask, shift } = partsOf(infos)
  const masks = [`--nfmask ${bits32.write(nfmask, 'ipv4').join('')}`, `--ctmask ${bits32.write(ctmask, 'ipv4').join('')}`]
  const operation = set ? ['--set-xmark', ...xorMark.write(set, 'ipv4')] : [infos['save-mark'] ? '--save-mark' : '--restore-mark', ...masks]
  const shifted = shift === 0 ? [] : [shift < 0 ? '--right-shift-mark' : '--left-shift-mark', String(Math.abs(shift))]
  return [...operation, ...shifted].join(' ')
}

/** Kernel: a mask that is given after the value replaces the one that stands with it. */
function setMark(infos: Infos): MarkMask | undefined {
  const set = infos['set-xmark']?.value
  const mask = infos.ctmask?.value ?? infos.mask?.value
  return set && mask !== undefined ? { mark: set.mark, mask } : set
}

function partsOf(infos: Infos): { nfmask: number; ctmask: number; shift: number } {
  return {
    nfmask: infos.nfmask?.value ?? infos.mask?.value ?? ALL_BITS,
    ctmask: infos.ctmask?.value ?? infos.mask?.value ?? ALL_BITS,
    shift: infos['left-shift-mark']?.value ?? 0,
  }
}

function effectOf(infos: Infos): Effect {
  const { nfmask, ctmask, shift } = partsOf(infos)
  const shifted = shift === 0 ? {} : { shift }
  const set = setMark(infos)
  if (set) return { kind: 'assign', field: 'ct.mark', clear: set.mask, flip: set.mark, ...shifted }
  if (infos['save-mark']) return { kind: 'assign', field: 'ct.mark', clear: ctmask, flip: 0, from: { field: 'mark', mask: nfmask }, ...shifted }
  return { kind: 'assign', field: 'mark', clear: nfmask, flip: 0, from: { field: 'ct.mark', mask: ctmask }, ...shifted }
}

/** Bits to the left; negative ones to the right. */
function shift(sign: 1 | -1): OptionType<number> {
  return {
    syntax: 'bits', words: 1,
    read([word = '']) {
      const bits = readWholeNumber(word, 0, 31)
      return bits.ok ? read(sign * bits.value) : bits
    },
    write: value => [String(Math.abs(value))],
  }
}
