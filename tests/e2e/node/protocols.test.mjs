// Anthropic's Messages and OpenAI's Responses through their own SDKs, over an upstream that speaks neither.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import Anthropic1 from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-0';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import { baseURL, clients, counting, direct, key, openai } from './sdks.mjs';

const skip = { skip: direct && 'the mock speaks chat completions here' };
const root = baseURL.replace(/\/v1$/, '');
const TEXT = Array.from({ length: 16 }, (_, i) => `w${i + 1}`).join(' ');
const messages = [{ role: 'user', content: 'say sixteen words' }];
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const TOOL = { name: 'get_weather', description: 'weather of a city', input_schema: SCHEMA };
const FUNCTION = { type: 'function', name: 'get_weather', description: 'weather of a city', parameters: SCHEMA,
                   strict: false };

const claude = (Client, { apiKey = key, retries = 0, seen = [] } = {}) =>
  new Client({ apiKey, baseURL: root, maxRetries: retries, timeout: 15_000, fetch: counting(seen) });
const asked = (model = 'mock-sixteen', extra = {}) => ({ model, max_tokens: 100, messages, ...extra });

// 0 sends anthropic-version 2023-06-01, 1 sends 2026-10-21.
for (const [sdk, Client] of Object.entries({ 'anthropic-1': Anthropic1, 'anthropic-0': Anthropic0 })) {
  test(`${sdk} gets a message`, skip, async () => {
    const answer = await claude(Client).messages.create(asked('mock-sixteen', { system: 'be brief' }));
    assert.equal(answer.content[0].text, TEXT);
    assert.equal(answer.stop_reason, 'end_turn');
    assert.deepEqual([answer.usage.input_tokens, answer.usage.output_tokens], [5, 16]);
    assert.ok(answer._request_id);
  });

  test(`${sdk} streams a message`, skip, async () => {
    let text = '';
    for await (const event of await claude(Client).messages.create(asked('mock-sixteen', { stream: true }))) {
      if (event.type === 'content_block_delta') text += event.delta.text;
    }
    assert.equal(text, TEXT);
  });

  test(`${sdk} collects a stream`, skip, async () => {
    let text = '';
    const runner = claude(Client).messages.stream(asked()).on('text', (delta) => { text += delta; });
    const final = await runner.finalMessage();
    assert.equal(text, TEXT);
    assert.equal(final.content[0].text, TEXT);
    assert.equal(final.usage.output_tokens, 16);
  });

  for (const model of ['mock-tool-calls', 'mock-tool-no-type', 'mock-tool-no-index']) {
    test(`${sdk} calls a tool and goes on: ${model}`, skip, async () => {
      const tools = [TOOL];
      const first = await claude(Client).messages.stream(asked(model, { tools })).finalMessage();
      const call = first.content.at(-1);
      assert.equal(first.stop_reason, 'tool_use');
      assert.equal(call.name, 'get_weather');
      assert.equal(typeof call.input.city, 'string');
      const result = { type: 'tool_result', tool_use_id: call.id, content: 'sunny' };
      const turns = [...messages, { role: 'assistant', content: first.content }, { role: 'user', content: [result] }];
      const second = await claude(Client).messages.create(asked(model, { tools, messages: turns }));
      assert.equal(second.content[0].type, 'text');
    });
  }

  test(`${sdk} shows thinking`, skip, async () => {
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    const final = await claude(Client).messages.stream(asked('mock-reasoning', { thinking, max_tokens: 2000 })).finalMessage();
    assert.deepEqual(final.content.map((block) => block.type), ['thinking', 'text']);
    assert.ok(final.content[0].thinking.length > 0);
  });

  test(`${sdk} counts tokens, lists models`, skip, async () => {
    const counted = await claude(Client).messages.countTokens({ model: 'mock-ok', messages, tools: [TOOL] });
    assert.ok(counted.input_tokens > 20);
    const ids = [];
    for await (const model of claude(Client).models.list()) ids.push(model.id);
    assert.ok(ids.includes('mock-ok'));
  });

  const refusals = [
    ['a wrong key', { apiKey: `dp-${'x'.repeat(43)}` }, 'mock-ok', 401, 'authentication_error', 1],
    ['an unknown model', {}, 'no-such-model', 404, 'not_found_error', 1],
    ['a spent quota', { apiKey: process.env.DEEPPOOL_E2E_QUOTA_KEY }, 'mock-ok', 402, 'billing_error', 1],
    ['a failing upstream', {}, 'mock-status-500', 502, 'api_error', 3],
  ];
  for (const [title, options, model, status, type, attempts] of refusals) {
    test(`${sdk} refused for ${title}`, skip, async () => {
      const seen = [];
      await assert.rejects(claude(Client, { ...options, retries: 2, seen }).messages.create(asked(model)), (error) => {
        assert.equal(error.status, status);
        assert.equal(error.error.error.type, type);
        assert.ok(error.requestID);
        return true;
      });
      assert.equal(seen.length, attempts);
    });
  }

  test(`${sdk} sees a stream break`, skip, async () => {
    let text = '';
    const runner = claude(Client).messages.stream(asked('mock-cut')).on('text', (delta) => { text += delta; });
    await assert.rejects(runner.finalMessage(), /upstream/);
    assert.ok(text.length > 0);
  });
}

for (const [sdk, Client] of Object.entries(clients)) {
  test(`${sdk} gets a response`, skip, async () => {
    const answer = await openai(Client).responses.create({ model: 'mock-sixteen', input: 'x', instructions: 'be brief' });
    assert.equal(answer.output_text, TEXT);
    assert.equal(answer.status, 'completed');
    assert.equal(answer.usage.output_tokens, 16);
  });

  test(`${sdk} collects a stream of a response`, skip, async () => {
    let text = '';
    const runner = openai(Client).responses.stream({ model: 'mock-sixteen', input: 'x' })
      .on('response.output_text.delta', (event) => { text += event.delta; });
    const final = await runner.finalResponse();
    assert.equal(text, TEXT);
    assert.equal(final.output_text, TEXT);
    assert.equal(final.status, 'completed');
  });

  test(`${sdk} shows reasoning of a response`, skip, async () => {
    const runner = openai(Client).responses.stream({ model: 'mock-reasoning', input: 'x' });
    const final = await runner.finalResponse();
    assert.deepEqual(final.output.map((item) => item.type), ['reasoning', 'message']);
    assert.ok(final.output[0].content[0].text.length > 0);
  });

  test(`${sdk} calls a function by responses`, skip, async () => {
    const first = await openai(Client).responses.stream({ model: 'mock-tool-calls', input: 'x', tools: [FUNCTION] })
      .finalResponse();
    const call = first.output.at(-1);
    assert.equal(call.type, 'function_call');
    assert.equal(typeof JSON.parse(call.arguments), 'object');
    const input = [{ role: 'user', content: 'x' }, ...first.output,
                   { type: 'function_call_output', call_id: call.call_id, output: 'sunny' }];
    const second = await openai(Client).responses.create({ model: 'mock-tool-calls', input, tools: [FUNCTION] });
    assert.ok(second.output_text.length > 0);
  });

  test(`${sdk} is refused what needs kept answers`, skip, async () => {
    await assert.rejects(
      openai(Client).responses.create({ model: 'mock-ok', input: 'x', previous_response_id: 'resp_1' }),
      (error) => error.status === 400 && error.param === 'previous_response_id');
  });
}

const aiModels = {
  'ai-responses': (model) => createOpenAI({ apiKey: key, baseURL }).responses(model),
  'ai-anthropic': (model) => createAnthropic({ apiKey: key, baseURL })(model),
};
for (const [sdk, model] of Object.entries(aiModels)) {
  test(`${sdk} gets an answer`, skip, async () => {
    const answer = await generateText({ model: model('mock-sixteen'), messages, maxRetries: 0 });
    assert.equal(answer.text, TEXT);
    assert.equal(answer.finishReason, 'stop');
  });

  test(`${sdk} streams an answer`, skip, async () => {
    const answer = streamText({ model: model('mock-sixteen'), messages, maxRetries: 0 });
    assert.equal(await answer.text, TEXT);
    const usage = await answer.usage;
    assert.deepEqual([usage.inputTokens, usage.outputTokens], [3, 16]);
  });

  test(`${sdk} runs a tool and goes on`, skip, async () => {
    const calls = [];
    const tools = {
      get_weather: tool({
        description: 'weather of a city', inputSchema: z.object({ city: z.string() }),
        execute: async (input) => { calls.push(input); return 'sunny'; },
      }),
    };
    const answer = streamText({ model: model('mock-tool-calls'), messages, tools, maxRetries: 0, maxOutputTokens: 100,
                                stopWhen: stepCountIs(2) });
    assert.ok((await answer.text).length > 0);
    assert.equal(calls.length, 1);
  });

  test(`${sdk} sees a stream break`, skip, async () => {
    const answer = streamText({ model: model('mock-cut'), messages, maxRetries: 0, onError() {} });
    let text = '';
    let error;
    for await (const part of answer.fullStream) {
      if (part.type === 'text-delta') text += part.text;
      if (part.type === 'error') error = part.error;
    }
    assert.ok(text.length > 0);
    assert.ok(error);
  });
}

test('ai-responses shows reasoning where a summary is asked for', skip, async () => {
  const answer = await generateText({
    model: aiModels['ai-responses']('mock-reasoning'), messages, maxRetries: 0,
    providerOptions: { openai: { reasoningSummary: 'auto', store: false, forceReasoning: true } },
  });
  assert.ok(answer.reasoningText?.length > 0);
  assert.ok(answer.text.length > 0);
});
