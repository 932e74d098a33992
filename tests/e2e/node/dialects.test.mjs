// OpenAI's SDK, the AI SDK and LangChain over upstreams of every dialect: the same calls, the same answers. The mock
// refuses what the real vendors refuse, so that an answer also says that the request was one of theirs.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import { aiModel, baseURL, chain, clients, direct, key, messages, openai } from './sdks.mjs';

const WORDS = Array.from({ length: 16 }, (_, i) => `w${i + 1}`).join(' ');
const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA' +
  'WjR9awAAAABJRU5ErkJggg==';
const platformOnly = { skip: direct && 'the mock speaks one dialect to an OpenAI client' };
const CALLS = 'tool-calls:calls.2';
const THOUGHTFUL = 'thinking-tools:calls.2';
const otherProtocols = {
  'ai-responses': (model) => createOpenAI({ apiKey: key, baseURL }).responses(model),
  'ai-anthropic': (model) => createAnthropic({ apiKey: key, baseURL })(model),
};
const functionTool = (name) => ({
  type: 'function',
  function: { name, description: name, parameters: {
    $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', additionalProperties: false,
    properties: { city: { type: 'string' } }, required: ['city'] } },
});
const TOOLS = [functionTool('get_weather'), functionTool('get_time')];

for (const dialect of ['openai', 'anthropic', 'gemini']) {
  const named = (model) => `${dialect}/mock-${model}`;

  for (const [sdk, Client] of Object.entries(clients)) {
    test(`${sdk} over ${dialect} streams words`, platformOnly, async () => {
      const runner = openai(Client).chat.completions.stream(
        { model: named('ok'), messages, stream_options: { include_usage: true } });
      const final = await runner.finalChatCompletion();
      assert.equal(final.choices[0].message.content, WORDS);
      assert.deepEqual([final.usage.prompt_tokens, final.usage.completion_tokens], [3, 16]);
    });

    for (const model of [CALLS, THOUGHTFUL]) {
      test(`${sdk} over ${dialect} calls tools in parallel and goes on: ${model}`, platformOnly, async () => {
        const asked = { model: named(model), messages, tools: TOOLS, reasoning_effort: 'high' };
        const first = await openai(Client).chat.completions.stream(asked).finalChatCompletion();
        const said = first.choices[0].message;
        assert.equal(first.choices[0].finish_reason, 'tool_calls');
        assert.deepEqual(said.tool_calls.map((call) => call.function.name), ['get_weather', 'get_time']);
        assert.deepEqual(said.tool_calls.map((call) => JSON.parse(call.function.arguments)),
                         [{ city: 'Paris' }, { city: 'Paris' }]);
        const turns = [...messages, said, ...said.tool_calls.map(
          (call) => ({ role: 'tool', tool_call_id: call.id, content: 'sunny' }))];
        const last = await openai(Client).chat.completions.stream({ ...asked, messages: turns }).finalChatCompletion();
        assert.equal(last.choices[0].message.content, WORDS);
      });
    }
  }

  for (const sdk of ['ai-compatible', 'ai-openai']) {
    for (const model of [CALLS, THOUGHTFUL]) {
      test(`${sdk} over ${dialect} runs tools in parallel: ${model}`, platformOnly, async () => {
        const asked = [];
        const named_tool = (name) => tool({
          description: name, inputSchema: z.object({ city: z.string() }),
          execute: async (input) => { asked.push([name, input.city]); return 'sunny'; },
        });
        const answer = streamText({
          model: aiModel(sdk, named(model)), messages, maxRetries: 0, stopWhen: stepCountIs(2),
          tools: { get_weather: named_tool('get_weather'), get_time: named_tool('get_time') },
        });
        assert.equal(await answer.text, WORDS);
        assert.deepEqual(asked.sort(), [['get_time', 'Paris'], ['get_weather', 'Paris']]);
      });
    }

    test(`${sdk} over ${dialect} sends images`, platformOnly, async () => {
      const content = [{ type: 'text', text: 'how many?' }, { type: 'image', image: PIXEL }];
      const answer = await generateText(
        { model: aiModel(sdk, named('vision')), maxRetries: 0, messages: [{ role: 'user', content }] });
      assert.match(answer.text, /1/);
    });
  }

  for (const [sdk, model] of Object.entries(otherProtocols)) {
    for (const script of ['tool-calls:calls.2/tokens.16', 'thinking-tools:calls.2/tokens.16']) {
      test(`${sdk} over ${dialect} runs tools in parallel: ${script}`, platformOnly, async () => {
        const asked = [];
        const named_tool = (name) => tool({
          description: name, inputSchema: z.object({ city: z.string() }),
          execute: async (input) => { asked.push([name, input.city]); return 'sunny'; },
        });
        const answer = streamText({
          model: model(named(script)), messages, maxRetries: 0, stopWhen: stepCountIs(2), maxOutputTokens: 4000,
          tools: { get_weather: named_tool('get_weather'), get_time: named_tool('get_time') },
          providerOptions: { openai: { store: false, forceReasoning: true, reasoningEffort: 'high' } },
        });
        assert.equal(await answer.text, WORDS);
        assert.deepEqual(asked.sort(), [['get_time', 'Paris'], ['get_weather', 'Paris']]);
      });
    }
  }

  test(`ai-compatible over ${dialect} streams thoughts`, platformOnly, async () => {
    const answer = streamText({ model: aiModel('ai-compatible', named('reasoning')), messages, maxRetries: 0 });
    assert.equal(await answer.reasoningText, 'I think, '.repeat(4));
    assert.equal(await answer.text, WORDS);
  });

  test(`langchain over ${dialect}: an agent with parallel tools`, platformOnly, async () => {
    const tools = ['get_weather', 'get_time'].map((name) => langchainTool(
      async ({ city }) => `${name} of ${city}`, { name, description: name, schema: z.object({ city: z.string() }) }));
    const agent = chain(named(CALLS)).bindTools(tools);
    const turns = [new HumanMessage('weather and time?')];
    let said;
    for await (const chunk of await agent.stream(turns)) said = said ? said.concat(chunk) : chunk;
    assert.deepEqual(said.tool_calls.map((call) => call.name), ['get_weather', 'get_time']);
    const answers = said.tool_calls.map((call) => new ToolMessage({ content: 'sunny', tool_call_id: call.id }));
    assert.equal((await agent.invoke([...turns, said, ...answers])).content, WORDS);
  });
}
