/** The part of SARIF 2.1.0 that reports use, as a strict schema: nothing that is not in it may be written. Source: OASIS SARIF 2.1.0, section 3. */

const text = { type: 'string', minLength: 1 }
const object = (properties: Record<string, unknown>, required: readonly string[] = []) => ({ type: 'object', additionalProperties: false, properties, required })
const list = (items: unknown) => ({ type: 'array', items })
const message = object({ text }, ['text'])
const positive = { type: 'integer', minimum: 1 }
const region = object({ startLine: positive, startColumn: positive, endLine: positive, endColumn: positive, snippet: message }, ['startLine'])
const artifactLocation = object({ uri: text }, ['uri'])
const location = object({ id: { type: 'integer', minimum: 0 }, physicalLocation: object({ artifactLocation, region }, ['artifactLocation']), message }, ['physicalLocation'])
const level = { enum: ['none', 'note', 'warning', 'error'] }
const version = { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+' }

const rule = object(
  {
    id: text, name: text, shortDescription: message, fullDescription: message, help: object({ text, markdown: text }, ['text']), defaultConfiguration: object({ level }, ['level']),
    properties: object({ tags: { ...list(text), uniqueItems: true }, 'security-severity': { type: 'string', pattern: '^(\\d|10)\\.\\d$' }, precision: { enum: ['very-high', 'high', 'medium', 'low'] } }),
  },
  ['id'],
)

const result = object(
  {
    ruleId: text, ruleIndex: { type: 'integer', minimum: 0 }, level, message, locations: list(location), relatedLocations: { ...list(location), uniqueItems: true },
    partialFingerprints: { type: 'object', additionalProperties: text, minProperties: 1 },
    codeFlows: list(object({ message, threadFlows: { ...list(object({ locations: { ...list(object({ location }, ['location'])), minItems: 1 } }, ['locations'])), minItems: 1 } }, ['threadFlows'])),
    fixes: list(object({ description: message, artifactChanges: { ...list(object({ artifactLocation, replacements: { ...list(object({ deletedRegion: region, insertedContent: message }, ['deletedRegion'])), minItems: 1 } }, ['artifactLocation', 'replacements'])), minItems: 1 } }, ['artifactChanges'])),
  },
  ['message', 'ruleId', 'locations', 'partialFingerprints'],
)

/** The schema of a log with one run. */
export const SARIF_SCHEMA = object(
  {
    $schema: { const: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json' },
    version: { const: '2.1.0' },
    runs: {
      ...list(object({
        tool: object({ driver: object({ name: text, version, semanticVersion: version, informationUri: { type: 'string', pattern: '^https://' }, rules: { ...list(rule), uniqueItems: true } }, ['name']) }, ['driver']),
        artifacts: { ...list(object({ location: artifactLocation, sourceLanguage: text })), uniqueItems: true },
        columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
        invocations: list(object({ executionSuccessful: { type: 'boolean' } }, ['executionSuccessful'])),
        results: list(result),
      }, ['tool', 'results'])),
      minItems: 1,
    },
  },
  ['version', 'runs'],
)
