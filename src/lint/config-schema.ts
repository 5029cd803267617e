/** The JSON schema of `fivebyfive.yaml`, for editors: schemas/fivebyfive.schema.json is this, written by a test. */

import { allCodes, describeCode } from './describe-code.ts'

/** Returns the schema. */
export function configSchema(): object {
  const levels = { enum: ['error', 'warning', 'note', 'off', false], description: 'how grave a finding is; off: it is not reported' }
  const rules = {
    type: 'object', additionalProperties: false, description: 'levels of rules by their code',
    properties: Object.fromEntries(allCodes().map(code => [code, { ...levels, description: `${describeCode(code).what} (${describeCode(code).severity})` }])),
  }
  const texts = (description: string, pattern?: string): object => {
    const text = { type: 'string', minLength: 1, ...(pattern === undefined ? {} : { pattern }) }
    return { oneOf: [text, { type: 'array', items: text }], description }
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'https://unpkg.com/fivebyfive/schemas/fivebyfive.schema.json',
    title: 'fivebyfive.yaml',
    type: ['object', 'null'],
    additionalProperties: false,
    properties: {
      rules,
      paths: {
        type: 'array', description: 'settings for some files; later entries win',
        items: { type: 'object', additionalProperties: false, required: ['files'], properties: { files: texts('globs, relative to this file'), ignore: { type: 'boolean', description: 'do not lint these files' }, rules } },
      },
      topology: { type: 'string', description: 'a topology file of the host, relative to this file' },
      trusted: texts('addresses or prefixes that may reach management ports', '^[0-9a-fA-F.:]+(/[0-9.]+)?$'),
      'keep-open': texts('connections that must not be cut off, such as `tcp from 198.51.100.7 to port 22`', '^(tcp|udp)( from \\S+)?( on \\S+)? to port \\S+$'),
      baseline: { type: 'string', description: 'a baseline file, relative to this file' },
      'fail-on': { enum: ['error', 'warning', 'note'], description: 'the least grave finding that makes the exit code 1' },
      'max-warnings': { type: 'integer', minimum: 0, description: 'so many warnings are let pass' },
    },
  }
}
