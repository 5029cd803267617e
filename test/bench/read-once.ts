/** Reads a file once in a fresh process and prints milliseconds and megabytes as JSON. */

import { readFileSync } from 'node:fs'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import { readRuleset } from '../../src/save/read.ts'
import { writeRuleset } from '../../src/save/write.ts'

const path = process.argv[2] ?? ''
const text = readFileSync(path, 'utf8')
const start = performance.now()
const { value } = readRuleset([{ path, text }])
const read = performance.now()
checkRuleset(value)
const checked = performance.now()
const written = writeRuleset(value).length
const end = performance.now()
console.log(JSON.stringify({ rules: value.ruleCount, read: read - start, check: checked - read, write: end - checked, written, megabytes: process.memoryUsage().rss / 1e6 }))
