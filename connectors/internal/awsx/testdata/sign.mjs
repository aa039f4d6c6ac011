// Signs what it reads with aws4, another implementation of Signature Version 4.
// argv: a file with a list of requests, the folder with node_modules.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const aws4 = createRequire(process.argv[3] + '/')('aws4')
const out = JSON.parse(readFileSync(process.argv[2], 'utf8')).map(({ request, keys }) =>
  aws4.sign(request, keys).headers.Authorization)
process.stdout.write(JSON.stringify(out))
