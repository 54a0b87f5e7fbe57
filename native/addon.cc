// The addon's door: gives an environment its State and the functions of all files. Loads in any number of workers at
// once; an environment that ends lets its memory and maps go, and closes no descriptor.
#include <napi.h>
#include <signal.h>

#include <deque>

#include "call.h"

namespace odradek {
namespace {

struct Environment {
  explicit Environment(napi_env env) : state(env) {}
  State state;
  std::deque<Bound> bounds;
};

// sendfile cannot be told to leave SIGPIPE away. The runtimes ignore the signal anyway.
void ignoreBrokenPipes() {
  struct sigaction now {};
  if (sigaction(SIGPIPE, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL) {
    signal(SIGPIPE, SIG_IGN);
  }
}

Napi::Object open(Napi::Env env, Napi::Object exports) {
  ignoreBrokenPipes();
  auto* environment = new Environment(env);
  env.SetInstanceData<Environment>(environment);
  for (const auto functions : {memoryFunctions(), socketFunctions(), pollFunctions(), fileFunctions(),
                               indexMapFunctions(), loopFunctions(), threadFunctions()}) {
    for (const Export& each : functions) {
      Bound& bound = environment->bounds.emplace_back(Bound{&environment->state, each.name});
      napi_value function = nullptr;
      napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.call, &bound, &function);
      napi_set_named_property(env, exports, each.name, function);
    }
  }
  return exports;
}

}  // namespace
}  // namespace odradek

using odradek::open;
NODE_API_MODULE(addon, open)
