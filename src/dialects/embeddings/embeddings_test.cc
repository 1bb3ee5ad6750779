// Embeddings of each shape: what goes through another shape and back is the same, on written samples and, with
// SLUICE_SHARED, on recorded traffic. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "base/json.h"
#include "dialects/embeddings/codec.h"
#include "dialects/embeddings/vectors.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using enum EmbeddingShape;

constexpr EmbeddingShape shapes[] = {openai, gemini, gemini_batch, cohere, cohere_v1, titan, nova, cohere_invoked};
constexpr bool single(EmbeddingShape shape) {
  return shape == gemini || shape == titan || shape == nova;
}

// A model that can all that its shape can say.
std::string_view model_of(EmbeddingShape shape) {
  return shape == titan ? "amazon.titan-embed-image-v1" : "m";
}

EmbeddingRequest read(EmbeddingShape shape, std::string_view body, Notes& notes) {
  auto request = embedding_codec(shape)->read_request(body, notes);
  if (request) return *std::move(request);
  ADD_FAILURE() << body << ": " << request.error()->message;
  return {};
}

std::string write(EmbeddingShape shape, const EmbeddingRequest& request, Notes& notes) {
  auto body = embedding_codec(shape)->write_request(request, "m", notes);
  return body ? *std::move(body) : "refused: " + body.error()->message;
}

std::string noted(const Notes& notes) {
  return header_value(notes.all());
}

// What must arrive whatever the shape.
std::string matter(const EmbeddingRequest& request) {
  std::string out;
  json::Writer w(out);
  w.begin_array();
  for (const EmbeddingInput& input : request.inputs) {
    for (const auto& part : input.parts) {
      const auto* image = std::get_if<EmbeddingImage>(&part);
      w.string(image ? image->mime + image->base64 + image->url : std::get<std::string>(part));
    }
  }
  w.integer(request.dimensions.value_or(0)).end_array();
  return out;
}

TEST(EmbeddingVectors, PackIntoTheNearestFloat32AndBackWithoutLoss) {
  EXPECT_EQ(pack_vector("[1, 2.0e0]").value(), R"("AACAPwAAAEA=")");
  EXPECT_EQ(unpack_vector(R"("AACAPwAAAEA=")").value(), "[1,2]");
  EXPECT_EQ(unpack_vector(R"("AACAPwAA\u0041EA=")").value(), "[1,2]");
  const std::string numbers = "[0.1,-0,1e-45,3.4028235e+38,-0.00212860107421875,1e-60,0.016723633]";
  const std::string packed = pack_vector(numbers).value();
  const std::string unpacked = unpack_vector(packed).value();
  EXPECT_EQ(unpacked, "[0.1,-0,1e-45,3.4028235e+38,-0.002128601,0,0.016723633]");
  EXPECT_EQ(pack_vector(unpacked).value(), packed);
  EXPECT_EQ(pack_vector("[]").value(), R"("")");
  EXPECT_EQ(unpack_vector(R"("")").value(), "[]");
  for (const char* bad : {"[1e39]", "[1,]", "[1 2]", "[true]", "[[1]]", "1", "[1", "\"AACAPw==\""})
    EXPECT_FALSE(pack_vector(bad)) << bad;
  for (const char* bad : {R"("AACAP")", R"("AACA")", R"("AADAfw==")", R"("AACAfw==")", "[1]", "\"", ""})
    EXPECT_FALSE(unpack_vector(bad)) << bad;
}

TEST(EmbeddingVectors, AreFoundWithoutLookingInside) {
  const auto found = array_elements(R"([ [1,[2]] , {"a":"]"},"x\"]" ,-1.5, null])").value();
  EXPECT_EQ(found, (std::vector<std::string_view>{"[1,[2]]", R"({"a":"]"})", R"("x\"]")", "-1.5", "null"}));
  EXPECT_EQ(array_elements("[ ]").value().size(), 0u);
  for (const char* bad : {"{}", "[1 2]", "[1", "[\"a]"}) EXPECT_FALSE(array_elements(bad)) << bad;
}

TEST(Embeddings, FromOpenaiInOthersWords) {
  const std::string body = R"({"model":"x","input":["a","b"],"dimensions":8,"encoding_format":"base64","user":"u"})";
  Notes notes;
  const EmbeddingRequest request = read(openai, body, notes);
  EXPECT_EQ(noted(notes), "lost /user");
  notes = {};
  EXPECT_EQ(write(gemini_batch, request, notes),
            R"({"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"outputDimensionality":8},)"
            R"({"model":"models/m","content":{"parts":[{"text":"b"}]},"outputDimensionality":8}]})");
  EXPECT_EQ(noted(notes), "");
  // OpenAI refuses what is too long, and so must Cohere then.
  EXPECT_EQ(write(cohere, request, notes),
            R"({"model":"m","texts":["a","b"],"input_type":"search_document","embedding_types":["float"],)"
            R"("output_dimension":8,"truncate":"NONE"})");
  EXPECT_EQ(noted(notes), "added /input_type");
}

TEST(Embeddings, FromGeminiInOthersWords) {
  const std::string body = R"({"content":{"parts":[{"text":"a"},{"text":"b"}],"role":"user"},"title":"T",
      "taskType":"QUESTION_ANSWERING","output_dimensionality":8,"embedContentConfig":{"autoTruncate":true,"x":1}})";
  Notes notes;
  const EmbeddingRequest request = read(gemini, body, notes);
  EXPECT_EQ(noted(notes), "lost /embedContentConfig/x");
  notes = {};
  EXPECT_EQ(write(openai, request, notes),
            R"({"model":"m","input":["a\nb"],"encoding_format":"float","dimensions":8})");
  EXPECT_EQ(noted(notes), "restated /content; lost /title; lost /taskType; lost /embedContentConfig/autoTruncate");
  notes = {};
  EXPECT_EQ(write(cohere, request, notes),
            R"({"model":"m","inputs":[{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],)"
            R"("input_type":"search_query","embedding_types":["float"],"output_dimension":8,"truncate":"END"})");
  EXPECT_EQ(noted(notes), "lost /title; restated /taskType");
}

TEST(Embeddings, FromCohereInOthersWords) {
  const std::string body = R"({"model":"x","texts":["a"],"input_type":"search_query","truncate":"START",
      "embedding_types":["int8","float"],"max_tokens":9})";
  Notes notes;
  const EmbeddingRequest request = read(cohere, body, notes);
  EXPECT_EQ(noted(notes), "lost /max_tokens");
  notes = {};
  EXPECT_EQ(write(openai, request, notes), R"({"model":"m","input":["a"],"encoding_format":"float"})");
  EXPECT_EQ(noted(notes), "lost /embedding_types; lost /input_type; lost /truncate");
  notes = {};
  EXPECT_EQ(write(gemini_batch, request, notes),
            R"({"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY"}]})");
  EXPECT_EQ(noted(notes), "lost /embedding_types; lost /truncate");
}

TEST(Embeddings, RefuseWhatWouldMeanSomethingElse) {
  struct Row {
    EmbeddingShape from, to;
    std::string_view body, param;
  };
  for (const Row& row : {
           Row{openai, gemini_batch, R"({"input":[[1,2]]})", "input"},
           Row{openai, cohere, R"({"input":[1,2]})", "input"},
           Row{cohere, openai, R"({"texts":["a"],"embedding_types":["int8","ubinary"]})", "embedding_types"},
           Row{cohere, gemini_batch, R"({"texts":["a"],"embedding_types":["binary"]})", "embedding_types"},
           Row{cohere, openai, R"({"images":["data:image/png;base64,AAAA"]})", "images"},
           Row{cohere, gemini_batch, R"({"images":["https://x/a.png"]})", "images"},
           Row{gemini, openai, R"({"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}})",
               "content"},
       }) {
    Notes notes;
    const EmbeddingRequest request = read(row.from, row.body, notes);
    const auto written = embedding_codec(row.to)->write_request(request, "m", notes);
    ASSERT_FALSE(written) << row.body;
    EXPECT_EQ(written.error()->fault, Fault::unsupported);
    EXPECT_EQ(written.error()->param, row.param) << row.body;
  }
  struct Bad {
    EmbeddingShape from;
    std::string_view body, param;
  };
  for (const Bad& bad : {
           Bad{openai, R"({"input":[]})", "input"},
           Bad{openai, R"({"input":[{}]})", "input"},
           Bad{openai, R"({"input":"a","dimensions":0})", "dimensions"},
           Bad{openai, R"({"input":"a","encoding_format":"int8"})", "encoding_format"},
           Bad{gemini, R"({"content":{"parts":[]}})", "content"},
           Bad{gemini, R"({"content":{"parts":[{"fileData":{}}]}})", "content"},
           Bad{gemini_batch, R"({"requests":[]})", "requests"},
           Bad{gemini_batch,
               R"({"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"},)"
               R"({"content":{"parts":[{"text":"b"}]}}]})",
               "requests"},
           Bad{titan, R"({"inputText":7})", "inputText"},
           Bad{titan, R"({"dimensions":8})", "inputText"},
           Bad{titan, R"({"inputText":"a","embeddingTypes":["binary"]})", "embeddingTypes"},
           Bad{titan, R"({"inputText":"a","embeddingTypes":["int8"]})", "embeddingTypes"},
           Bad{titan, R"({"inputText":"a","embeddingConfig":{"outputEmbeddingLength":0}})",
               "embeddingConfig/outputEmbeddingLength"},
           Bad{nova, R"({"singleEmbeddingParams":{}})", "singleEmbeddingParams"},
           Bad{nova, R"({"taskType":"SEGMENTED_EMBEDDING","singleEmbeddingParams":{}})", "taskType"},
           Bad{nova, R"({"singleEmbeddingParams":{"audio":{"format":"mp3","source":{"bytes":""}}}})",
               "singleEmbeddingParams/audio"},
           Bad{nova, R"({"singleEmbeddingParams":{"image":{"format":"png","source":{"s3Location":{"uri":"s3://x"}}}}})",
               "singleEmbeddingParams/image/source"},
           Bad{cohere, R"({"texts":["a"],"images":["b"]})", "texts"},
           Bad{cohere, R"({"texts":["a"],"embedding_types":["float64"]})", "embedding_types"},
       }) {
    Notes notes;
    const auto request = embedding_codec(bad.from)->read_request(bad.body, notes);
    ASSERT_FALSE(request) << bad.body;
    EXPECT_EQ(request.error()->param, bad.param) << bad.body;
  }
}

TEST(Embeddings, ImagesCrossWhereTheyCan) {
  Notes notes;
  const std::string body = R"({"inputs":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":)"
                           R"({"url":"data:image/png;base64,AAAA"}}]}],"input_type":"clustering"})";
  const EmbeddingRequest request = read(cohere, body, notes);
  const std::string google = write(gemini_batch, request, notes);
  EXPECT_EQ(google, R"({"requests":[{"model":"models/m","content":{"parts":[{"text":"a"},)"
                    R"({"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},"taskType":"CLUSTERING"}]})");
  EXPECT_EQ(noted(notes), "");
  EXPECT_EQ(read(gemini_batch, google, notes).inputs, request.inputs);
  const EmbeddingRequest pictures = read(cohere, R"({"images":["data:image/png;base64,AAAA"]})", notes);
  EXPECT_EQ(
      write(cohere, pictures, notes),
      R"({"model":"m","images":["data:image/png;base64,AAAA"],"input_type":"image","embedding_types":["float"]})");
}

TEST(Embeddings, AnswersAreInOrderAndComplete) {
  const std::string body = R"({"object":"list","data":[{"index":1,"embedding":[2]},{"embedding":"AACAPw==","index":0}],
      "model":"e","usage":{"prompt_tokens":3,"total_tokens":3}})";
  const auto reply = embedding_codec(openai)->read_reply(body);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->model, "e");
  EXPECT_EQ(reply->usage.input, 3);
  EXPECT_EQ(reply->sets.front().vectors, (std::vector<std::string_view>{"\"AACAPw==\"", "[2]"}));
  Notes notes;
  const EmbeddingRequest three = read(openai, R"({"input":["a","b","c"]})", notes);
  const auto few = embedding_codec(openai)->write_reply(*reply, {three, "m", "x"}, notes);
  ASSERT_FALSE(few);
  EXPECT_EQ(few.error()->fault, Fault::upstream_broken);
  for (const char* bad : {"", "[]", "{}", R"({"data":{}})", R"({"data":[1]})", R"({"data":[{"index":0}]})",
                          R"({"data":[{"embedding":[1,,2]}]})", R"({"data":[{"embedding":null}]})",
                          R"({"embeddings":{"float":[[true]]}})", R"({"embeddings":[{"values":7}]})"}) {
    for (const EmbeddingShape shape : shapes) {
      const auto read = embedding_codec(shape)->read_reply(bad);
      if (read) EXPECT_TRUE(read->sets.front().vectors.empty()) << bad;
    }
  }
}

TEST(Embeddings, UsageThatIsUnknownIsSaidToBe) {
  Notes notes;
  const EmbeddingRequest one = read(openai, R"({"input":"a"})", notes);
  const std::string body = R"({"embeddings":[{"values":[1]}]})";
  const auto reply = embedding_codec(gemini_batch)->read_reply(body);
  ASSERT_TRUE(reply);
  EXPECT_EQ(embedding_codec(openai)->write_reply(*reply, {one, "m", "x"}, notes).value(),
            R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]}],"model":"m",)"
            R"("usage":{"prompt_tokens":0,"total_tokens":0}})");
  EXPECT_EQ(noted(notes), "added /usage");
  EXPECT_EQ(embedding_codec(gemini)->write_reply(*reply, {one, "m", "x"}, notes).value(),
            R"({"embedding":{"values":[1]}})");
  EXPECT_EQ(embedding_codec(cohere)->write_reply(*reply, {one, "m", "x"}, notes).value(),
            R"({"id":"x","texts":["a"],"embeddings":{"float":[[1]]},"meta":{"api_version":{"version":"2"}},)"
            R"("response_type":"embeddings_by_type"})");
  EXPECT_EQ(embedding_codec(cohere_v1)->write_reply(*reply, {one, "m", "x"}, notes).value(),
            R"({"id":"x","texts":["a"],"embeddings":[[1]],"meta":{"api_version":{"version":"1"}},)"
            R"("response_type":"embeddings_floats"})");
}

TEST(Embeddings, GoOutToBedrock) {
  Notes notes;
  const EmbeddingRequest one = read(openai, R"({"input":"a","dimensions":256})", notes);
  const auto written = [&](std::string_view model, const EmbeddingRequest& request) {
    const auto body = embedding_codec(invoked_shape_of(model))->write_request(request, model, notes);
    return body ? *body : "refused: " + body.error()->param;
  };
  EXPECT_EQ(written("amazon.titan-embed-text-v2:0", one), R"({"inputText":"a","dimensions":256})");
  EXPECT_EQ(written("amazon.titan-embed-image-v1", one),
            R"({"inputText":"a","embeddingConfig":{"outputEmbeddingLength":256}})");
  EXPECT_EQ(written("us.cohere.embed-v4:0", one),
            R"({"texts":["a"],"input_type":"search_document","embedding_types":["float"],"output_dimension":256,)"
            R"("truncate":"NONE"})");
  EXPECT_EQ(written("amazon.nova-2-multimodal-embeddings-v1:0", one),
            R"({"schemaVersion":"nova-multimodal-embed-v1","taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":)"
            R"({"embeddingPurpose":"GENERIC_INDEX","embeddingDimension":256,)"
            R"("text":{"truncationMode":"NONE","value":"a"}}})");
  EXPECT_EQ(invoked_shape_of("amazon.nova-pro-v1:0"), none);
  const EmbeddingRequest two = read(openai, R"({"input":["a","b"]})", notes);
  EXPECT_EQ(written("amazon.titan-embed-text-v2:0", two), "refused: input");
  EXPECT_EQ(written("amazon.nova-2-multimodal-embeddings-v1:0", two), "refused: input");
  struct Row {
    EmbeddingShape shape;
    std::string_view body;
  };
  for (const auto& [shape, body] :
       {Row{titan, R"({"embedding":[0.5],"embeddingsByType":{"float":[0.5]},"inputTextTokenCount":5})"},
        Row{nova, R"({"embeddings":[{"embeddingType":"TEXT","embedding":[0.5],"truncatedCharLength":1}]})"},
        Row{cohere_invoked, R"({"id":"i","embeddings":{"float":[[0.5]]},"response_type":"embeddings_by_type"})"},
        Row{cohere_invoked, R"({"data":[{"embedding":[0.5],"index":0}]})"}}) {
    const auto reply = embedding_codec(shape)->read_reply(body);
    ASSERT_TRUE(reply) << body;
    ASSERT_EQ(reply->sets.front().vectors, (std::vector<std::string_view>{"[0.5]"})) << body;
    EXPECT_EQ(reply->usage.known(), body.contains("Count")) << body;
  }
}

TEST(Embeddings, ComeInAsInvokeModel) {
  struct Row {
    EmbeddingShape shape;
    std::string_view body, to_openai, notes;
  };
  for (const Row& row : {
           Row{titan, R"({"inputText":"a","dimensions":8,"normalize":true,"embeddingTypes":["float","binary"]})",
               R"({"model":"m","input":["a"],"encoding_format":"float","dimensions":8})",
               "lost /normalize; lost /embeddingTypes"},
           Row{titan, R"({"inputText":"a","embeddingConfig":{"outputEmbeddingLength":8,"x":1}})",
               R"({"model":"m","input":["a"],"encoding_format":"float","dimensions":8})", "lost /embeddingConfig/x"},
           Row{nova,
               R"({"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"TEXT_RETRIEVAL",)"
               R"("embeddingDimension":8,"text":{"truncationMode":"END","value":"a"}}})",
               R"({"model":"m","input":["a"],"encoding_format":"float","dimensions":8})",
               "restated /singleEmbeddingParams/embeddingPurpose; lost /singleEmbeddingParams/embeddingPurpose; "
               "lost /singleEmbeddingParams/text/truncationMode"},
           Row{cohere_invoked, R"({"texts":["a","b"],"input_type":"search_query"})",
               R"({"model":"m","input":["a","b"],"encoding_format":"float"})", "lost /input_type"},
       }) {
    EXPECT_EQ(invoked_shape(row.body), row.shape) << row.body;
    Notes notes;
    const EmbeddingRequest request = read(row.shape, row.body, notes);
    EXPECT_EQ(write(openai, request, notes), row.to_openai);
    EXPECT_EQ(noted(notes), row.notes) << row.body;
  }
  // What asks for no vectors, whatever it is.
  for (const char* body : {R"({"inputText":"a","textGenerationConfig":{}})", R"({"messages":[]})", R"({"prompt":"a"})",
                           R"({"query":"a","documents":["b"]})", "[]", "", "{"})
    EXPECT_EQ(invoked_shape(body), none) << body;
}

TEST(Embeddings, AnswerInvokeModel) {
  const std::string body =
      R"({"data":[{"embedding":[0.5],"index":0}],"model":"e","usage":{"prompt_tokens":5,"total_tokens":5}})";
  const auto reply = embedding_codec(openai)->read_reply(body);
  ASSERT_TRUE(reply);
  Notes notes;
  const auto answered = [&](EmbeddingShape shape, std::string_view asked) {
    notes = {};
    const EmbeddingRequest request = read(shape, asked, notes);
    return embedding_codec(shape)->write_reply(*reply, {request, "m", "x"}, notes).value();
  };
  EXPECT_EQ(answered(titan, R"({"inputText":"a"})"), R"({"embedding":[0.5],"inputTextTokenCount":5})");
  EXPECT_EQ(answered(titan, R"({"inputText":"a","embeddingTypes":["float"]})"),
            R"({"embedding":[0.5],"embeddingsByType":{"float":[0.5]},"inputTextTokenCount":5})");
  EXPECT_EQ(noted(notes), "");
  EXPECT_EQ(answered(nova, R"({"singleEmbeddingParams":{"embeddingPurpose":"CLUSTERING","text":{"value":"a"}}})"),
            R"({"embeddings":[{"embeddingType":"TEXT","embedding":[0.5]}]})");
  EXPECT_EQ(noted(notes), "lost /usage");
  EXPECT_TRUE(answered(cohere_invoked, R"({"texts":["a"]})").contains(R"("embeddings":[[0.5]])"));
  EXPECT_TRUE(answered(cohere_invoked, R"({"texts":["a"],"embedding_types":["float","base64"]})")
                  .contains(R"("embeddings":{"float":[[0.5]],"base64":["AAAAPw=="]})"));
}

TEST(Embeddings, ImagesReachAmazonsModels) {
  constexpr std::string_view png = "iVBORw0KGgoAAAAN";
  Notes notes;
  const EmbeddingRequest picture =
      read(cohere, R"({"images":["data:image/png;base64,iVBORw0KGgoAAAAN"],"input_type":"image"})", notes);
  const auto to = [&](std::string_view model, const EmbeddingRequest& request) {
    const auto body = embedding_codec(invoked_shape_of(model))->write_request(request, model, notes);
    return body ? *body : "refused: " + body.error()->param;
  };
  const std::string at_titan = to("amazon.titan-embed-image-v1", picture);
  EXPECT_EQ(at_titan, R"({"inputImage":"iVBORw0KGgoAAAAN"})");
  EXPECT_EQ(read(titan, at_titan, notes).inputs, picture.inputs);
  EXPECT_EQ(to("amazon.titan-embed-text-v2:0", picture), "refused: images");
  const std::string at_nova = to("amazon.nova-2-multimodal-embeddings-v1:0", picture);
  EXPECT_TRUE(at_nova.contains(R"("image":{"format":"png","source":{"bytes":"iVBORw0KGgoAAAAN"}})")) << at_nova;
  EXPECT_EQ(read(nova, at_nova, notes).inputs, picture.inputs);
  const EmbeddingRequest both = read(
      cohere,
      R"({"inputs":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,)" +
          std::string(png) + R"("}}]}]})",
      notes);
  EXPECT_EQ(to("amazon.titan-embed-image-v1", both), R"({"inputText":"a","inputImage":"iVBORw0KGgoAAAAN"})");
  EXPECT_EQ(to("amazon.nova-2-multimodal-embeddings-v1:0", both), "refused: inputs");
  const EmbeddingRequest far = read(cohere, R"({"images":["https://x/a.png"]})", notes);
  EXPECT_EQ(to("amazon.titan-embed-image-v1", far), "refused: images");
  EXPECT_EQ(to("amazon.nova-2-multimodal-embeddings-v1:0", far), "refused: images");
}

// Through every shape and back: what arrives is what was asked, or it was refused.
void cross(EmbeddingShape from, const std::string& id, std::string_view body, std::map<std::string, int>& tried) {
  Notes notes;
  const EmbeddingRequest asked = read(from, body, notes);
  for (const EmbeddingShape to : shapes) {
    if (to == gemini) continue;  // requests are written as several in one
    const auto written = embedding_codec(to)->write_request(asked, model_of(to), notes);
    if (!written) {
      EXPECT_EQ(written.error()->fault, Fault::unsupported) << id;
      ++tried["refused"];
      continue;
    }
    ASSERT_TRUE(json::valid(*written)) << id << *written;
    Notes again;
    EXPECT_EQ(matter(read(to, *written, again)), matter(asked)) << id << " " << *written;
    EXPECT_TRUE(again.empty()) << id << noted(again);
    ++tried["requests"];
  }
}

void cross_reply(EmbeddingShape from, const std::string& id, std::string_view body, std::map<std::string, int>& tried) {
  const auto reply = embedding_codec(from)->read_reply(body);
  ASSERT_TRUE(reply) << id << reply.error()->detail;
  if (reply->sets.front().encoding > EmbeddingEncoding::base64) return;
  EmbeddingRequest asked;
  asked.inputs.resize(reply->sets.front().vectors.size(), {.parts = {"x"}});
  const auto packed = [](std::string_view raw) {
    return raw.starts_with('[') ? pack_vector(raw).value() : std::string(raw);
  };
  for (const EmbeddingEncoding encoding : {EmbeddingEncoding::floats, EmbeddingEncoding::base64}) {
    asked.encodings = {encoding};
    for (const EmbeddingShape to : shapes) {
      if (single(to) && asked.inputs.size() != 1) continue;
      Notes notes;
      const auto written = embedding_codec(to)->write_reply(*reply, {asked, "m", "x"}, notes);
      ASSERT_TRUE(written) << id << written.error()->detail;
      ASSERT_TRUE(json::valid(*written)) << id;
      const auto again = embedding_codec(to)->read_reply(*written);
      ASSERT_TRUE(again) << id;
      const bool always = to == openai || to == titan;  // they tell usage, known or not
      const auto told = to == nova ? std::nullopt : reply->usage.known() || !always ? reply->usage.input : 0;
      EXPECT_EQ(again->usage.input, told) << id;
      for (std::size_t i = 0; i < asked.inputs.size(); ++i)
        ASSERT_EQ(packed(again->sets.front().vectors[i]), packed(reply->sets.front().vectors[i])) << id;
      ++tried["replies"];
    }
  }
}

TEST(Embeddings, RecordedOnesCross) {
  const char* shared = std::getenv("SLUICE_SHARED");
  if (!shared || !*shared) GTEST_SKIP() << "NOTICE: SLUICE_SHARED is not set: no recorded embeddings.";
  std::map<std::string, int> tried;
  for (const std::string_view folder : {"openai.embeddings", "gemini.embed", "cohere.embed"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(shared) / "corpus" / folder)) {
      std::ifstream in(entry.path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      const std::string file = text.str(), id = entry.path().stem().string();
      json::Document doc;
      const auto root = doc.parse(file);
      ASSERT_TRUE(root) << id;
      const std::string path = (*root)["path"].text();
      EmbeddingShape shape = folder.starts_with("openai") ? openai : path.contains("/v1/embed") ? cohere_v1 : cohere;
      if (folder.starts_with("gemini")) shape = path.contains("batch") ? gemini_batch : gemini;
      if ((*root)["status"].integer() != 200) continue;
      if ((*root)["request"].is_object()) cross(shape, id, (*root)["request"].raw(), tried);
      // Perplexity packs int8 into its strings.
      if (!(*root)["provider"].equals("perplexity")) cross_reply(shape, id, (*root)["response"].raw(), tried);
    }
  }
  EXPECT_GT(tried["requests"], 100);
  EXPECT_GT(tried["replies"], 300);
  for (const auto& [what, count] : tried) std::cout << "embeddings: " << count << ' ' << what << '\n';
}

}  // namespace
}  // namespace sluice
