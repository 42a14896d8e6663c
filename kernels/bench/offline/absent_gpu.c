/* A Vulkan layer over a driver whose GPU is not there. Mesa's RADV, told by RADV_FORCE_FAMILY to take a family of AMD
 * GPUs for present, compiles shaders to that family's machine code, but holds no memory and runs nothing. The layer
 * stands in for the rest: memory is the host's, whatever is recorded, submitted or waited for succeeds at once.
 *
 * And it asks the compiler what it made: for every compute pipeline, one line of JSON is appended to the file that
 * ZEROTIR_PIPELINE_LOG names, with the statistics and the assembly (VK_KHR_pipeline_executable_properties).
 *
 * report.mjs beside this file builds and uses it. It needs the headers of Debian's libvulkan-dev. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define COUNT(array) (sizeof(array) / sizeof(array[0]))
#define ANY(function) ((PFN_vkVoidFunction)(function))

static PFN_vkGetInstanceProcAddr below_instance;
static PFN_vkGetDeviceProcAddr below_device;
static VkInstance the_instance;
static VkDevice the_device;

/* ---- What the compiler made ---------------------------------------------------------------------------------- */

static void write_string(FILE *log, const char *text, size_t length) {
  fputc('"', log);
  for (size_t i = 0; i < length && text[i]; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') fprintf(log, "\\%c", c);
    else if (c < ' ') fprintf(log, "\\u%04x", c);
    else fputc(c, log);
  }
  fputc('"', log);
}

static void write_statistics(FILE *log, const VkPipelineExecutableInfoKHR *which) {
  PFN_vkGetPipelineExecutableStatisticsKHR get = (void *)below_device(the_device, "vkGetPipelineExecutableStatisticsKHR");
  uint32_t count = 0;
  get(the_device, which, &count, NULL);
  VkPipelineExecutableStatisticKHR *all = calloc(count, sizeof *all);
  for (uint32_t i = 0; i < count; i++) all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
  get(the_device, which, &count, all);
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) fputc(',', log);
    write_string(log, all[i].name, sizeof all[i].name);
    double value = all[i].format == VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_FLOAT64_KHR ? all[i].value.f64
                   : all[i].format == VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR ? (double)all[i].value.i64
                                                                                        : (double)all[i].value.u64;
    fprintf(log, ":%.17g", value);
  }
  free(all);
}

static void write_assembly(FILE *log, const VkPipelineExecutableInfoKHR *which) {
  PFN_vkGetPipelineExecutableInternalRepresentationsKHR get =
      (void *)below_device(the_device, "vkGetPipelineExecutableInternalRepresentationsKHR");
  uint32_t count = 0;
  get(the_device, which, &count, NULL);
  VkPipelineExecutableInternalRepresentationKHR *all = calloc(count, sizeof *all);
  for (uint32_t i = 0; i < count; i++) all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR;
  get(the_device, which, &count, all); /* sizes */
  for (uint32_t i = 0; i < count; i++) all[i].pData = malloc(all[i].dataSize);
  get(the_device, which, &count, all);
  const VkPipelineExecutableInternalRepresentationKHR *assembly = NULL;
  for (uint32_t i = 0; i < count; i++)
    if (strstr(all[i].name, "ssembly")) assembly = &all[i];
  write_string(log, assembly ? assembly->pData : "", assembly ? assembly->dataSize : 0);
  for (uint32_t i = 0; i < count; i++) free(all[i].pData);
  free(all);
}

static VKAPI_ATTR VkResult VKAPI_CALL create_compute_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                                               const VkComputePipelineCreateInfo *infos,
                                                               const VkAllocationCallbacks *callbacks,
                                                               VkPipeline *pipelines) {
  VkComputePipelineCreateInfo *asking = malloc(count * sizeof *asking);
  memcpy(asking, infos, count * sizeof *asking);
  for (uint32_t i = 0; i < count; i++)
    asking[i].flags |= VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR |
                       VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR;
  PFN_vkCreateComputePipelines create = (void *)below_device(device, "vkCreateComputePipelines");
  VkResult result = create(device, cache, count, asking, callbacks, pipelines);
  free(asking);
  const char *path = getenv("ZEROTIR_PIPELINE_LOG");
  FILE *log = path && result == VK_SUCCESS ? fopen(path, "a") : NULL;
  for (uint32_t i = 0; log && i < count; i++) {
    VkPipelineExecutableInfoKHR which = {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, NULL, pipelines[i], 0};
    fputs("{\"statistics\":{", log);
    write_statistics(log, &which);
    fputs("},\"assembly\":", log);
    write_assembly(log, &which);
    fputs("}\n", log);
  }
  if (log) fclose(log);
  return result;
}

/* ---- Memory: the host's, taken when it is mapped -------------------------------------------------------------- */

struct block {
  VkDeviceSize size;
  char *bytes;
};

static VkPhysicalDeviceMemoryProperties host_memory(void) {
  enum { VISIBLE = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT };
  return (VkPhysicalDeviceMemoryProperties){
      .memoryTypeCount = 3,
      .memoryTypes = {{VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0}, {VISIBLE, 1}, {VISIBLE | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 1}},
      .memoryHeapCount = 2,
      .memoryHeaps = {{(VkDeviceSize)24 << 30, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT}, {(VkDeviceSize)64 << 30, 0}},
  };
}

static VKAPI_ATTR void VKAPI_CALL memory_properties(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties *out) {
  *out = host_memory();
}

static VKAPI_ATTR void VKAPI_CALL memory_properties2(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2 *out) {
  out->memoryProperties = host_memory();
}

static VKAPI_ATTR void VKAPI_CALL buffer_requirements(VkDevice device, VkBuffer buffer, VkMemoryRequirements *out) {
  ((PFN_vkGetBufferMemoryRequirements)below_device(device, "vkGetBufferMemoryRequirements"))(device, buffer, out);
  out->memoryTypeBits = 7;
}

static VKAPI_ATTR void VKAPI_CALL buffer_requirements2(VkDevice device, const VkBufferMemoryRequirementsInfo2 *info,
                                                       VkMemoryRequirements2 *out) {
  ((PFN_vkGetBufferMemoryRequirements2)below_device(device, "vkGetBufferMemoryRequirements2"))(device, info, out);
  out->memoryRequirements.memoryTypeBits = 7;
}

static VKAPI_ATTR VkResult VKAPI_CALL allocate_memory(VkDevice device, const VkMemoryAllocateInfo *info,
                                                      const VkAllocationCallbacks *callbacks, VkDeviceMemory *out) {
  struct block *block = calloc(1, sizeof *block);
  block->size = info->allocationSize;
  *out = (VkDeviceMemory)block;
  return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL free_memory(VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks *callbacks) {
  struct block *block = (struct block *)memory;
  if (block) free(block->bytes);
  free(block);
}

static VKAPI_ATTR VkResult VKAPI_CALL map_memory(VkDevice device, VkDeviceMemory memory, VkDeviceSize offset,
                                                 VkDeviceSize size, VkMemoryMapFlags flags, void **out) {
  struct block *block = (struct block *)memory;
  if (!block->bytes) block->bytes = calloc(1, block->size);
  *out = block->bytes + offset;
  return block->bytes ? VK_SUCCESS : VK_ERROR_MEMORY_MAP_FAILED;
}

/* ---- Work: nothing is done, and done at once ------------------------------------------------------------------- */

static VkResult nothing(void) { return VK_SUCCESS; }

static VKAPI_ATTR VkResult VKAPI_CALL create_object(VkDevice device, const void *info, const VkAllocationCallbacks *callbacks,
                                                    uint64_t *handle) {
  static uint64_t last = 0;
  *handle = ++last;
  return VK_SUCCESS;
}

static const char *const idle[] = {
    "vkBeginCommandBuffer",   "vkBindBufferMemory",      "vkBindBufferMemory2",    "vkBindBufferMemory2KHR",
    "vkDestroyCommandPool",   "vkDestroyDevice",         "vkDestroyFence",         "vkDestroyInstance",
    "vkDestroyQueryPool",     "vkDestroySemaphore",      "vkDeviceWaitIdle",       "vkEndCommandBuffer",
    "vkFlushMappedMemoryRanges", "vkFreeCommandBuffers", "vkGetFenceStatus",       "vkGetQueryPoolResults",
    "vkInvalidateMappedMemoryRanges", "vkQueueSubmit",   "vkQueueSubmit2",         "vkQueueSubmit2KHR",
    "vkQueueWaitIdle",        "vkResetCommandBuffer",    "vkResetCommandPool",     "vkResetFences",
    "vkResetQueryPool",       "vkUnmapMemory",           "vkUpdateDescriptorSets", "vkUpdateDescriptorSetWithTemplate",
    "vkUpdateDescriptorSetWithTemplateKHR", "vkWaitForFences",
};

static int is_idle(const char *name) {
  if (strncmp(name, "vkCmd", 5) == 0) return 1;
  for (size_t i = 0; i < COUNT(idle); i++)
    if (strcmp(name, idle[i]) == 0) return 1;
  return 0;
}

/* ---- The chain: what is asked of this layer, and what lies below it ---------------------------------------------- */

struct entry {
  const char *name;
  PFN_vkVoidFunction function;
};

static PFN_vkVoidFunction find(const struct entry *entries, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(entries[i].name, name) == 0) return entries[i].function;
  return NULL;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL of_device(VkDevice device, const char *name) {
  static const struct entry entries[] = {
      {"vkGetDeviceProcAddr", ANY(of_device)},
      {"vkCreateComputePipelines", ANY(create_compute_pipelines)},
      {"vkGetBufferMemoryRequirements", ANY(buffer_requirements)},
      {"vkGetBufferMemoryRequirements2", ANY(buffer_requirements2)},
      {"vkGetBufferMemoryRequirements2KHR", ANY(buffer_requirements2)},
      {"vkAllocateMemory", ANY(allocate_memory)},
      {"vkFreeMemory", ANY(free_memory)},
      {"vkMapMemory", ANY(map_memory)},
      {"vkCreateFence", ANY(create_object)},
      {"vkCreateSemaphore", ANY(create_object)},
      {"vkCreateQueryPool", ANY(create_object)},
  };
  /* What the driver does not offer must not seem to be there. */
  PFN_vkVoidFunction below = below_device(device, name);
  PFN_vkVoidFunction own = find(entries, COUNT(entries), name);
  if (!below) return NULL;
  return own ? own : is_idle(name) ? ANY(nothing) : below;
}

/* The loader hands a layer what lies below it as a link in the chain of the create info. */
static void *chain_link(const void *next, VkStructureType type) {
  for (VkBaseInStructure *each = (void *)next; each; each = (void *)each->pNext)
    if (each->sType == type && ((VkLayerInstanceCreateInfo *)each)->function == VK_LAYER_LINK_INFO) return each;
  return NULL;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info,
                                                      const VkAllocationCallbacks *callbacks, VkInstance *out) {
  VkLayerInstanceCreateInfo *link = chain_link(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
  below_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  VkResult result = ((PFN_vkCreateInstance)below_instance(NULL, "vkCreateInstance"))(info, callbacks, out);
  the_instance = *out;
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                                                    const VkAllocationCallbacks *callbacks, VkDevice *out) {
  VkLayerDeviceCreateInfo *link = chain_link(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
  PFN_vkGetInstanceProcAddr instance_below = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  below_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;

  VkDeviceCreateInfo asking = *info;
  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR feature = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR, (void *)info->pNext, VK_TRUE};
  const char **names = malloc((info->enabledExtensionCount + 1) * sizeof *names);
  memcpy(names, info->ppEnabledExtensionNames, info->enabledExtensionCount * sizeof *names);
  names[info->enabledExtensionCount] = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
  asking.pNext = &feature;
  asking.enabledExtensionCount = info->enabledExtensionCount + 1;
  asking.ppEnabledExtensionNames = names;
  PFN_vkCreateDevice create = (PFN_vkCreateDevice)instance_below(the_instance, "vkCreateDevice");
  VkResult result = create(physical, &asking, callbacks, out);
  free(names);
  the_device = *out;
  return result;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL of_instance(VkInstance instance, const char *name) {
  static const struct entry entries[] = {
      {"vkGetInstanceProcAddr", ANY(of_instance)},
      {"vkGetDeviceProcAddr", ANY(of_device)},
      {"vkCreateInstance", ANY(create_instance)},
      {"vkCreateDevice", ANY(create_device)},
      {"vkGetPhysicalDeviceMemoryProperties", ANY(memory_properties)},
      {"vkGetPhysicalDeviceMemoryProperties2", ANY(memory_properties2)},
      {"vkGetPhysicalDeviceMemoryProperties2KHR", ANY(memory_properties2)},
  };
  PFN_vkVoidFunction own = find(entries, COUNT(entries), name);
  if (own) return own;
  if (is_idle(name)) return ANY(nothing);
  return below_instance ? below_instance(instance, name) : NULL;
}

VKAPI_ATTR VkResult VKAPI_CALL vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *versions) {
  versions->loaderLayerInterfaceVersion = 2;
  versions->pfnGetInstanceProcAddr = of_instance;
  versions->pfnGetDeviceProcAddr = of_device;
  versions->pfnGetPhysicalDeviceProcAddr = NULL;
  return VK_SUCCESS;
}
