// Copyright (C) The wholesale gateway authors

// The peer: the same four jobs as a team with Node.js would put them together
// from Fastify and its own plugins.  One process, as nginx has one worker.

'use strict'

const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

const Fastify = require('fastify')
const Redis = require('ioredis')

const folder = process.argv[2]
const settings = JSON.parse(fs.readFileSync(path.join(folder, 'settings.json')))
const catalogue = JSON.parse(fs.readFileSync(settings.catalogue))
const token = fs.readFileSync(path.join(folder, 'access_token'), 'utf8').trim()

const tenants = new Map(Object.entries(settings.tenants).map(
  ([name, tenant]) => [tenant.digest, { name, ...tenant }]))

const BODY_MAX = 65536
const WEBEX = 'https://webexapis.com/v1/wholesale/'

// the contract, compiled by Fastify; what a schema cannot say is below

const optional = (schema) => ({ ...schema, type: [schema.type, 'null'] })
const text = (more) => ({
  type: 'string', pattern: '^[^\\u0000-\\u001f\\u007f]*$', ...more
})

const address = {
  type: 'object',
  required: ['addressLine1', 'city', 'country'],
  properties: {
    addressLine1: text({ minLength: 1, maxLength: 50 }),
    addressLine2: optional(text({ maxLength: 50 })),
    city: text({ minLength: 1 }),
    stateOrProvince: optional(text()),
    zipOrPostalCode: optional(text()),
    country: { type: 'string', enum: catalogue.countries }
  }
}

// of an e-mail address
const WORD = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9-]'

const timezone = { type: 'string', minLength: 1, isTimezone: true }

const update = {
  type: 'object',
  required: ['packages'],
  properties: {
    externalId: optional(text({ minLength: 1 })),
    packages: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', enum: Object.keys(catalogue.packages) }
    },
    address: optional(address),
    provisioningParameters: {
      type: ['object', 'null'],
      properties: {
        calling: {
          type: ['object', 'null'],
          required: ['location'],
          properties: {
            location: {
              type: 'object',
              required: ['name', 'address', 'timezone', 'language'],
              properties: {
                name: text({ minLength: 1, maxLength: 80 }),
                address,
                timezone,
                language: {
                  type: 'string', pattern: '^[A-Za-z]{2}(_[A-Za-z]{2})?$'
                },
                emergencyLocationIdentifier: optional(text())
              }
            }
          }
        },
        meetings: {
          type: ['object', 'null'],
          properties: {
            timezone: { type: ['string', 'null'], isTimezone: true }
          }
        },
        packages: {
          type: ['object', 'null'],
          properties: {
            limits: {
              type: ['object', 'null'],
              propertyNames: { enum: Object.keys(catalogue.packages) },
              additionalProperties: {
                type: ['integer', 'null'],
                minimum: 0,
                maximum: Number.MAX_SAFE_INTEGER
              }
            }
          }
        }
      }
    },
    subPartnerAdminEmail: {
      type: ['string', 'null'],
      maxLength: 254,
      pattern: `^(${WORD}(\\.${WORD})*@(${LABEL}+\\.)+`
        + `${LABEL}*[A-Za-z-]${LABEL}*)?$`
    }
  }
}

const timezones = new Set(settings.timezones)

const fastify = Fastify({
  bodyLimit: BODY_MAX,
  logger: false,
  ajv: {
    customOptions: {
      allErrors: true,
      coerceTypes: false,
      removeAdditional: false,
      allowUnionTypes: true,
      strict: false
    },
    plugins: [(ajv) => ajv.addKeyword({
      keyword: 'isTimezone',
      type: 'string',
      validate: (_, value) => value === '' || timezones.has(value),
      errors: false
    })]
  }
})

// the bytes that were validated are those that are forwarded

fastify.removeAllContentTypeParsers()
fastify.addContentTypeParser('application/json', { parseAs: 'buffer' },
  (request, body, done) => {
    request.bytes = body

    try {
      done(null, JSON.parse(body))
    } catch (error) {
      error.statusCode = 400
      done(error)
    }
  })

fastify.decorateRequest('bytes', null)
fastify.decorateRequest('tenant', null)

function refusal (status, message, errors) {
  return { message, errors: errors || [], type: 'about:blank', status }
}

fastify.setErrorHandler((error, request, reply) => {
  const status = error.statusCode || error.status || 500
  const errors = (error.validation || []).map((problem) => ({
    description: problem.message, pointer: problem.instancePath
  }))

  reply.code(status).send(refusal(status, 'The request is refused.', errors))
})

async function identify (request, reply) {
  const value = request.headers.authorization

  if (value !== undefined && /^bearer /i.test(value)) {
    request.tenant = tenants.get(
      crypto.createHash('sha256').update(value.slice(7)).digest('hex'))
  }

  if (!request.tenant) {
    reply.header('WWW-Authenticate', 'Bearer').code(401)
    return reply.send(refusal(401, 'The key is missing, or not known.'))
  }
}

async function needs (request, reply) {
  const listed = new Set(request.body.packages)

  for (const name of listed) {
    const needed = catalogue.packages[name].needs

    if (needed && !needed.some((need) => listed.has(need))) {
      reply.code(400)
      return reply.send(refusal(400, `${name} needs another package`))
    }
  }
}

async function start () {
  fastify.addHook('onRequest', identify)

  if (settings.redis) {
    await fastify.register(require('@fastify/rate-limit'), {
      global: true,
      hook: 'onRequest',
      redis: new Redis({ port: settings.redis, host: '127.0.0.1' }),
      max: (request) => request.tenant.max,
      timeWindow: 1000,
      keyGenerator: (request) => request.tenant.name
    })
  }

  await fastify.register(require('@fastify/reply-from'), {
    base: `http://127.0.0.1:${settings.upstream}`,
    undici: { connections: 256, pipelining: 1 }
  })

  fastify.put('/v1/wholesale/customers/:id', {
    schema: { body: update },
    preHandler: needs
  }, (request, reply) => {
    const origin = `http://${request.headers.host}/v1/wholesale/`

    reply.from(request.raw.url, {
      body: request.bytes,
      contentType: 'application/json',
      rewriteRequestHeaders: (_, headers) => ({
        ...headers,
        host: 'webexapis.com',
        authorization: `Bearer ${token}`,
        'x-api-key': undefined,
        'proxy-authorization': undefined
      }),
      rewriteHeaders: ({ 'content-length': _, location, ...headers }) => ({
        ...headers,
        ...(location && { location: location.replace(WEBEX, origin) })
      }),
      onResponse: (_, reply, response) => {
        const chunks = []
        const stream = response.stream || response

        stream.on('data', (chunk) => chunks.push(chunk))
        stream.on('end', () => reply.send(
          Buffer.concat(chunks).toString().replaceAll(WEBEX, origin)))
      }
    })

    return reply
  })

  await fastify.listen({
    port: settings.port, host: '127.0.0.1', backlog: 1024
  })
}

start()
