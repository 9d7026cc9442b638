// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime as a peer of bench_network:
//   node onnxruntime_peer.js FOLDER MODEL.safetensors
// FOLDER holds node_modules/onnxruntime-node. The graph and the weights of our model file become an ONNX model (its
// protocol buffers are written here, by hand), so that both engines run the same network.
//
// Standard input is a list of requests; each is answered by a line:
//   open BATCH THREADS, then the bytes of BATCH pictures (B G R)   the probabilities, after one run
//   run                                                            milliseconds of one run of the session
// The tensor is made before the clock starts. The first line of all is the version.
'use strict';

const fs = require('fs');
const path = require('path');

const [folder, modelPath] = process.argv.slice(2);
const packagePath = path.resolve(folder, 'node_modules', 'onnxruntime-node');
const ort = require(packagePath);

// ---- Our model file ---------------------------------------------------------------------------

// {graph, input, tensors}: tensors by name, {shape, bytes}.
function readModel(file) {
  const bytes = fs.readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start));
  const { graph, input } = JSON.parse(header.__metadata__.model);
  const tensors = {};
  for (const [name, entry] of Object.entries(header)) {
    if (entry.dtype !== 'F32') continue; // __metadata__, and the weights of int8
    const [from, to] = entry.data_offsets;
    tensors[name] = { shape: entry.shape, bytes: bytes.subarray(start + from, start + to) };
  }
  return { graph, input, tensors };
}

// ---- Protocol buffers -------------------------------------------------------------------------

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
const integer = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const bytesOf = (field, value) => Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
const text = (field, value) => bytesOf(field, Buffer.from(value));
const message = (field, ...parts) => bytesOf(field, Buffer.concat(parts));
function float(field, value) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(field * 8 + 5), bytes]);
}

// The field numbers of onnx.proto: AttributeProto, NodeProto, TensorProto, ValueInfoProto.
const FLOAT = 1;
const floatAttribute = (name, value) => message(5, text(1, name), float(2, value), integer(20, 1));
const integerAttribute = (name, value) => message(5, text(1, name), integer(3, value), integer(20, 2));
const integersAttribute = (name, values) =>
  message(5, text(1, name), ...values.map((value) => integer(8, value)), integer(20, 7));
const node = (op, inputs, output, ...attributes) =>
  message(1, ...inputs.map((name) => text(1, name)), text(2, output), text(4, op), ...attributes);
const initializer = (name, { shape, bytes }) =>
  message(5, ...shape.map((size) => integer(1, size)), integer(2, FLOAT), text(8, name), bytesOf(9, bytes));
const valueInfo = (field, name, shape) =>
  message(field, text(1, name),
    message(2, message(1, integer(1, FLOAT), message(2, ...shape.map((size) => message(1, integer(1, size)))))));

// ---- The network in ONNX ----------------------------------------------------------------------

function windowAttributes({ kernel, stride, pad }) {
  return [integersAttribute('kernel_shape', kernel), integersAttribute('strides', stride),
    integersAttribute('pads', [...pad, ...pad])];
}

function pool(op, layer, ...more) {
  const { attributes } = layer;
  if (attributes.global) return [node(`Global${op}`, layer.inputs, layer.outputs[0])];
  return [node(op, layer.inputs, layer.outputs[0], ...windowAttributes(attributes),
    integerAttribute('ceil_mode', attributes.ceil_mode ? 1 : 0), ...more)];
}

const weightsOf = ({ weights }) => [weights.weight, weights.bias].filter(Boolean);

// What each of our operations is in ONNX, operator set 13.
const converters = {
  convolution: (layer) => [node('Conv', [...layer.inputs, ...weightsOf(layer)], layer.outputs[0],
    ...windowAttributes(layer.attributes), integersAttribute('dilations', layer.attributes.dilation),
    integerAttribute('group', layer.attributes.groups))],
  relu: (layer) => [layer.attributes.negative_slope
    ? node('LeakyRelu', layer.inputs, layer.outputs[0], floatAttribute('alpha', layer.attributes.negative_slope))
    : node('Relu', layer.inputs, layer.outputs[0])],
  max_pool: (layer) => pool('MaxPool', layer),
  average_pool: (layer) => pool('AveragePool', layer, integerAttribute('count_include_pad', 1)),
  lrn: ({ inputs, outputs, attributes: { local_size: size, alpha, beta, k } }) => [node('LRN', inputs, outputs[0],
    integerAttribute('size', size), floatAttribute('alpha', alpha), floatAttribute('beta', beta),
    floatAttribute('bias', k))],
  concat: (layer) => [node('Concat', layer.inputs, layer.outputs[0], integerAttribute('axis', 1))],
  dropout: (layer) => [node('Identity', layer.inputs, layer.outputs[0])],
  inner_product: (layer) => [node('Flatten', layer.inputs, `${layer.outputs[0]}/flat`, integerAttribute('axis', 1)),
    node('Gemm', [`${layer.outputs[0]}/flat`, ...weightsOf(layer)], layer.outputs[0], integerAttribute('transB', 1))],
  softmax: (layer) => [node('Softmax', layer.inputs, layer.outputs[0], integerAttribute('axis', 1))],
  sigmoid: (layer) => [node('Sigmoid', layer.inputs, layer.outputs[0])],
};

function toOnnx({ graph, input, tensors }, batch) {
  const last = graph[graph.length - 1];
  const nodes = graph.flatMap((layer) => converters[layer.op](layer));
  const used = new Set(graph.flatMap(weightsOf));
  const constants = [...used].map((name) => initializer(name, tensors[name]));
  const classes = tensors[weightsOf(graph.findLast((layer) => layer.op === 'inner_product'))[0]].shape[0];
  return Buffer.concat([integer(1, 7), message(8, text(1, ''), integer(2, 13)),
    message(7, ...nodes, text(2, 'network'), ...constants,
      valueInfo(11, input.name, [batch, 3, input.height, input.width]),
      valueInfo(12, last.outputs[0], [batch, classes]))]);
}

// pixels: (batch, H, W, 3) B G R bytes; the result is (batch, 3, H, W), as the network takes it.
function toTensor(pixels, batch, input) {
  const area = input.width * input.height;
  const values = new Float32Array(batch * 3 * area);
  for (let i = 0; i < batch; i++)
    for (let c = 0; c < 3; c++) {
      const channel = input.channel_order === 'RGB' ? 2 - c : c;
      for (let at = 0; at < area; at++)
        values[(i * 3 + c) * area + at] = (pixels[(i * area + at) * 3 + channel] - input.mean[c]) * input.scale[c];
    }
  return new ort.Tensor('float32', values, [batch, 3, input.height, input.width]);
}

// ---- Requests ---------------------------------------------------------------------------------

const model = readModel(modelPath);
let session = null;
let feeds = null;

async function open(batch, threads, pixels) {
  if (session) await session.release();
  session = await ort.InferenceSession.create(toOnnx(model, batch),
    { intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: 'all' });
  feeds = { [model.input.name]: toTensor(pixels, batch, model.input) };
  const results = await session.run(feeds);
  return Array.from(results[session.outputNames[0]].data).join(' ');
}

async function run() {
  const start = performance.now();
  await session.run(feeds);
  return performance.now() - start;
}

function readExactly(size) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size;) {
    const got = fs.readSync(0, bytes, at, size - at, null);
    if (got === 0) process.exit(0);
    at += got;
  }
  return bytes;
}

function readLine() {
  let line = '';
  for (let letter; (letter = readExactly(1).toString('latin1')) !== '\n';) line += letter;
  return line;
}

async function serve() {
  fs.writeSync(1, `${JSON.parse(fs.readFileSync(path.join(packagePath, 'package.json'))).version}\n`);
  for (;;) {
    const [request, batch, threads] = readLine().split(' ');
    const answer = request === 'open'
      ? await open(+batch, +threads, readExactly(+batch * 3 * model.input.width * model.input.height))
      : await run();
    let line = Buffer.from(`${answer}\n`);
    while (line.length > 0) line = line.subarray(fs.writeSync(1, line));
  }
}

serve().catch((error) => {
  process.stderr.write(`onnxruntime_peer.js: ${error.message}\n`);
  process.exit(1);
});
