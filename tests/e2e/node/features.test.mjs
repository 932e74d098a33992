// What callers do with a model beside plain chat, and what they are told when it does not work.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { embed, generateText, stepCountIs, streamText, tool } from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';

import { aiModel, baseURL, chain, clients, direct, key, messages, openai } from './sdks.mjs';

const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA' +
  'WjR9awAAAABJRU5ErkJggg==';
const TOOL = {
  type: 'function',
  function: {
    name: 'get_weather', description: 'weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const platformOnly = { skip: direct && 'the mock has no keys and no limits' };
const toolModels = ['mock-tool-calls', 'mock-tool-no-type', 'mock-tool-no-index'];

for (const [sdk, Client] of Object.entries(clients)) {
  for (const model of toolModels) {
    test(`${sdk} streams tool calls: ${model}`, async () => {
      const runner = openai(Client).chat.completions.stream({ model, messages, tools: [TOOL] });
      const [choice] = (await runner.finalChatCompletion()).choices;
      const [call] = choice.message.tool_calls;
      assert.equal(choice.finish_reason, 'tool_calls');
      assert.equal(call.type, 'function');
      assert.equal(call.function.name, 'get_weather');
      assert.equal(typeof JSON.parse(call.function.arguments), 'object');
    });
  }

  test(`${sdk} sends images, asks for JSON`, async () => {
    const content = [{ type: 'text', text: 'how many?' }, { type: 'image_url', image_url: { url: PIXEL } }];
    const seen = await openai(Client).chat.completions.create({ model: 'mock-vision', messages: [{ role: 'user', content }] });
    assert.match(seen.choices[0].message.content, /1/);
    const json = await openai(Client).chat.completions.create(
      { model: 'mock-json', messages, response_format: { type: 'json_object' } });
    assert.equal(typeof JSON.parse(json.choices[0].message.content), 'object');
  });

  test(`${sdk} embeds in both encodings`, async () => {
    const usual = await openai(Client).embeddings.create({ model: 'mock-ok', input: ['one', 'two'] });
    const floats = await openai(Client).embeddings.create(
      { model: 'mock-ok', input: ['one', 'two'], encoding_format: 'float' });
    assert.equal(usual.data.length, 2);
    assert.deepEqual(Array.from(usual.data[1].embedding), floats.data[1].embedding);
  });

  test(`${sdk} finds a model by its encoded name`, platformOnly, async () => {
    const found = await openai(Client).models.retrieve('org/mock-ok v1:2');
    assert.equal(found.id, 'org/mock-ok v1:2');
  });

  const refusals = [
    ['a wrong key', { apiKey: `dp-${'x'.repeat(43)}` }, 'mock-ok', 401, 'invalid_api_key', 1],
    ['an unknown model', {}, 'no-such-model', 404, 'model_not_found', 1],
    ['a spent quota', { apiKey: process.env.DEEPPOOL_E2E_QUOTA_KEY }, 'mock-ok', 429, 'insufficient_quota', 1],
    ['a failing upstream', {}, 'mock-status-503', undefined, undefined, 3],
  ];
  for (const [title, options, model, status, code, attempts] of refusals) {
    test(`${sdk} refused for ${title}`, platformOnly, async () => {
      const seen = [];
      const asked = openai(Client, { ...options, retries: 2, seen });
      await assert.rejects(asked.chat.completions.create({ model, messages }), (error) => {
        assert.ok(error.requestID);
        if (status) assert.equal(error.status, status); else assert.ok(error.status >= 502);
        if (code) assert.equal(error.code, code);
        return true;
      });
      assert.equal(seen.length, attempts);
    });
  }
}

for (const sdk of ['ai-compatible', 'ai-openai']) {
  test(`${sdk} runs a tool and goes on`, async () => {
    const asked = [];
    const tools = {
      get_weather: tool({
        description: 'weather of a city', inputSchema: z.object({}).loose(),
        execute: async (input) => { asked.push(input); return 'sunny'; },
      }),
    };
    const answer = streamText({ model: aiModel(sdk, 'mock-tool-calls'), messages, tools, maxRetries: 0,
                                stopWhen: stepCountIs(2) });
    assert.ok((await answer.text).length > 0);
    assert.equal(asked.length, 1);
  });

  test(`${sdk} reports usage of a stream`, async () => {
    const answer = streamText({ model: aiModel(sdk, 'mock-ok'), messages, maxRetries: 0 });
    const usage = await answer.usage;
    assert.deepEqual([usage.inputTokens, usage.outputTokens], [3, 16]);
  });

  test(`${sdk} sends images`, async () => {
    const content = [{ type: 'text', text: 'how many?' }, { type: 'image', image: PIXEL }];
    const answer = await generateText({ model: aiModel(sdk, 'mock-vision'), maxRetries: 0,
                                        messages: [{ role: 'user', content }] });
    assert.match(answer.text, /1/);
  });
}

test('ai-compatible embeds', async () => {
  const provider = createOpenAICompatible({ name: 'deeppool', apiKey: key, baseURL });
  const { embedding } = await embed({ model: provider.embeddingModel('mock-ok'), value: 'one' });
  assert.ok(embedding.length > 0);
});

test('langchain streams tool calls', async () => {
  const bound = chain('mock-tool-calls').bindTools([TOOL]);
  let whole;
  for await (const chunk of await bound.stream('weather?')) whole = whole ? whole.concat(chunk) : chunk;
  assert.equal(whole.tool_calls[0].name, 'get_weather');
});

test('langchain embeds', async () => {
  const asked = new OpenAIEmbeddings({ model: 'mock-ok', apiKey: key, configuration: { baseURL }, maxRetries: 0 });
  assert.equal((await asked.embedDocuments(['one', 'two'])).length, 2);
});

test('langchain does not retry a spent quota', platformOnly, async () => {
  await assert.rejects(
    chain('mock-ok', { apiKey: process.env.DEEPPOOL_E2E_QUOTA_KEY, maxRetries: 2 }).invoke('x'),
    (error) => /quota/i.test(`${error.name} ${error.message}`));
});
