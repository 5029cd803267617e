/** DSCP values and the names of their classes. Source: extensions/dscp_helper.c class_to_dscp(). */

import { read, refuse } from './extension.ts'
import type { OptionType } from './extension.ts'
import { readWholeNumber } from './option-types.ts'
import { hexByte } from './tos-types.ts'

const CLASSES: readonly (readonly [string, number])[] = [
  ['CS0', 0], ['CS1', 8], ['CS2', 16], ['CS3', 24], ['CS4', 32], ['CS5', 40], ['CS6', 48], ['CS7', 56], ['BE', 0], ['AF11', 10], ['AF12', 12],
  ['AF13', 14], ['AF21', 18], ['AF22', 20], ['AF23', 22], ['AF31', 26], ['AF32', 28], ['AF33', 30], ['AF41', 34], ['AF42', 36], ['AF43', 38], ['EF', 46],
]

/** A DSCP value from 0 to 63. */
export const dscp: OptionType<number> = {
  syntax: 'number', words: 1,
  read: ([word = '']) => readWholeNumber(word, 0, 63),
  write: value => [hexByte(value)],
}

/** A DSCP value by the name of its class; what follows the name is not looked at. */
export const dscpClass: OptionType<number> = {
  ...dscp, syntax: 'BE|EF|AFxx|CSx',
  read([word = '']) {
    const found = CLASSES.find(([name]) => word.toUpperCase().startsWith(name))
    return found ? read(found[1]) : refuse(`there is no DSCP class \`${word}\``, 'BE, EF, AF11 to AF43 or CS0 to CS7')
  },
}
