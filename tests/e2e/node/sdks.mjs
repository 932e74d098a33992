// Each Node client as one function: ask a model, say what came of it in the same words for all.
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { APICallError, generateText, streamText } from 'ai';
import OpenAI7, { APIError as APIError7 } from 'openai';
import OpenAI6, { APIError as APIError6 } from 'openai-6';

export const baseURL = process.env.DEEPPOOL_E2E_BASE_URL;
export const key = process.env.DEEPPOOL_E2E_KEY;
export const direct = !process.env.DEEPPOOL_E2E_ROOT;
export const messages = [{ role: 'user', content: 'say sixteen words' }];
const timeout = 15_000;

// A fetch that leaves one entry in `seen` per HTTP request really made.
export const counting = (seen) => (url, options) => {
  seen.push(url);
  return fetch(url, options);
};

export const openai = (Client, { apiKey = key, retries = 0, seen = [] } = {}) =>
  new Client({ apiKey, baseURL, maxRetries: retries, timeout, fetch: counting(seen) });
export const clients = { 'openai-7': OpenAI7, 'openai-6': OpenAI6 };

const aiModels = {
  'ai-compatible': (model) =>
    createOpenAICompatible({ name: 'deeppool', apiKey: key, baseURL, includeUsage: true })(model),
  'ai-openai': (model) => createOpenAI({ apiKey: key, baseURL }).chat(model),
};
export const aiModel = (sdk, model) => aiModels[sdk](model);

export const chain = (model, extra = {}) =>
  new ChatOpenAI({ model, apiKey: key, configuration: { baseURL }, useResponsesApi: false,
                   maxRetries: 0, timeout, ...extra });

async function readChunks(stream, outcome) {
  for await (const chunk of stream) {
    outcome.usage = chunk.usage ?? outcome.usage;
    for (const choice of chunk.choices ?? []) {
      outcome.finish = choice.finish_reason ?? outcome.finish;
      outcome.text += choice.delta.content ?? '';
    }
  }
}

const openaiDrivers = (Client) => ({
  whole: async (model, outcome) => {
    const answer = await openai(Client).chat.completions.create({ model, messages });
    outcome.text = answer.choices[0].message.content;
    outcome.finish = answer.choices[0].finish_reason;
  },
  stream: async (model, outcome) =>
    readChunks(await openai(Client).chat.completions.create({ model, messages, stream: true }), outcome),
  helper: async (model, outcome) => {
    const runner = openai(Client).chat.completions.stream({ model, messages });
    runner.on('content', (delta) => { outcome.text += delta; });
    outcome.finish = (await runner.finalChatCompletion()).choices[0].finish_reason;
  },
});

const aiDrivers = (sdk) => ({
  whole: async (model, outcome) => {
    const answer = await generateText({ model: aiModel(sdk, model), messages, maxRetries: 0,
                                        abortSignal: AbortSignal.timeout(timeout) });
    outcome.text = answer.text;
    outcome.finish = answer.finishReason;
  },
  stream: async (model, outcome) => {
    const answer = streamText({ model: aiModel(sdk, model), messages, maxRetries: 0, onError() {},
                                abortSignal: AbortSignal.timeout(timeout) });
    // Errors of the stream are parts of it here, so that the SDK throws none.
    for await (const part of answer.fullStream) {
      if (part.type === 'text-delta') outcome.text += part.text;
      if (part.type === 'finish') outcome.finish = part.finishReason;
      if (part.type === 'error') outcome.error = part.error;
    }
  },
});

const langchainDrivers = {
  whole: async (model, outcome) => {
    const answer = await chain(model).invoke('say sixteen words');
    outcome.text = answer.content;
    outcome.finish = answer.response_metadata.finish_reason;
  },
  stream: async (model, outcome) => {
    for await (const chunk of await chain(model).stream('say sixteen words')) {
      outcome.text += chunk.content;
      outcome.finish = chunk.response_metadata.finish_reason ?? outcome.finish;
    }
  },
};

const seven = openaiDrivers(OpenAI7);
const six = openaiDrivers(OpenAI6);
export const drivers = {
  stream: {
    'openai-7': seven.stream, 'openai-7-helper': seven.helper,
    'openai-6': six.stream, 'openai-6-helper': six.helper,
    'ai-compatible': aiDrivers('ai-compatible').stream, 'ai-openai': aiDrivers('ai-openai').stream,
    langchain: langchainDrivers.stream,
  },
  whole: {
    'openai-7': seven.whole, 'openai-6': six.whole,
    'ai-compatible': aiDrivers('ai-compatible').whole, 'ai-openai': aiDrivers('ai-openai').whole,
    langchain: langchainDrivers.whole,
  },
};

// Whether the error is one that an SDK documents. The AI SDK hands on the error object of the stream itself.
export const isMeant = (error) =>
  error instanceof APIError7 || error instanceof APIError6 || APICallError.isInstance(error) ||
  error?.name === 'AI_StreamProviderError' ||
  (typeof error?.message === 'string' && typeof error?.type === 'string');
export const statusOf = (error) => error?.status ?? error?.statusCode;

// The SDKs' own timers stop at the response's head; a stream that hangs after it fails here.
export async function ask(driver, model) {
  const outcome = { text: '', finish: undefined, usage: undefined, error: undefined };
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('the answer does not end')), timeout);
  });
  try {
    await Promise.race([driver(model, outcome), late]);
  } catch (error) {
    outcome.error = error;
  } finally {
    clearTimeout(timer);
  }
  return outcome;
}
