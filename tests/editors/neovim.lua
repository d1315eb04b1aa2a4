-- Neovim 0.7 to 0.11 and later: asks a sentence and jumps to the answer, as a user does.
-- nvim --headless -u NONE -i NONE -n -c 'luafile neovim.lua' ; exit status 1 where anything is wrong.
local project, python, server = vim.env.EDITOR_TEST_PROJECT, vim.env.EDITOR_TEST_PYTHON, vim.env.EDITOR_TEST_SERVER
local failed = false
local function check(name, ok, detail)
  print((ok and 'ok   ' or 'FAIL ') .. name .. '  ' .. vim.inspect(detail))
  failed = failed or not ok
end

-- The commands of docs/editors.md, to the letter, with a second project open.
local function check_commands(project, id)
  for block in io.open(vim.env.EDITOR_TEST_DOCS):read('*a'):gmatch('```lua\n(.-)```') do
    if block:match("user_command%('Where'") then assert(loadstring(block))() end
  end
  local function asked(command, first)
    vim.fn.setqflist({}, 'r')
    vim.cmd(command)
    vim.wait(20000, function() return #vim.fn.getqflist() > 0 end, 50)
    local item = vim.fn.getqflist()[1] or {}
    local file = item.bufnr and vim.fn.fnamemodify(vim.api.nvim_buf_get_name(item.bufnr), ':t')
    local found = ('%s:%s:%s'):format(file, item.lnum, item.col)
    check(command, found == first, found)
  end
  local other = project .. '/../other'
  vim.fn.mkdir(other, 'p')
  vim.fn.writefile({ 'def sail_boat(wind):', '    return wind' }, other .. '/boat.py')
  vim.cmd('edit ' .. project .. '/src/config.py')
  asked('Where send a failed request again until it succeeds', 'retry.py:7:9')
  asked('Where send a failed request again until it succeeds', 'retry.py:7:9') -- from the quickfix window
  vim.cmd('cclose | edit ' .. other .. '/boat.py')
  local second = vim.lsp.start_client({
    name = 'codewhere',
    cmd = { python, server },
    root_dir = other,
    workspace_folders = { { uri = vim.uri_from_fname(other), name = 'other' } },
  })
  vim.lsp.buf_attach_client(0, second)
  vim.wait(20000, function()
    local status = vim.lsp.get_client_by_id(second).request_sync('codewhere/status', {}, 20000, 0)
    return status and status.result and status.result.roots[1] and status.result.roots[1].coverage == 1
  end, 200)
  asked('Where sail with the wind', 'boat.py:1:5')
  vim.cmd('cclose | edit ' .. project .. '/src/config.py')
  asked('WhereSimilar', 'options.py:1:5')
  vim.lsp.stop_client(second)
  vim.cmd('cclose')
end

local function main()
  vim.cmd('edit ' .. project .. '/src/config.py')
  local buffer = vim.api.nvim_get_current_buf()
  local id = vim.lsp.start_client({
    name = 'codewhere',
    cmd = { python, server },
    root_dir = project,
    workspace_folders = { { uri = vim.uri_from_fname(project), name = 'project' } },
  })
  vim.lsp.buf_attach_client(buffer, id)
  local function client() return vim.lsp.get_client_by_id(id) end
  local function ask(method, params)
    local answer, problem = client().request_sync(method, params, 20000, buffer)
    assert(answer, problem)
    return answer.result, answer.err
  end
  check('initialized', vim.wait(20000, function() return client() and client().initialized end, 50), vim.version().minor)
  check('indexed', vim.wait(40000, function()
    local root = ask('codewhere/status', {}).roots[1]
    return root and root.coverage == 1 and root.state == 'idle'
  end, 200), ask('codewhere/status', {}).roots)

  vim.lsp.buf.workspace_symbol('send a failed request again until it succeeds')
  check('quickfix list', vim.wait(20000, function() return #vim.fn.getqflist() > 0 end, 50), vim.fn.getqflist()[1])
  vim.cmd('cc 1')
  check('jumped to the file', vim.api.nvim_buf_get_name(0):match('src/net/retry.py$') ~= nil, vim.api.nvim_buf_get_name(0))
  check('jumped to the line', vim.fn.getline('.'):match('def run%(') ~= nil, vim.fn.getline('.'))

  if vim.fn.has('nvim-0.8') == 1 then check_commands(project, id) end

  local command = { command = 'codewhere.server.search', arguments = { 'read the settings', 1 } }
  local result = ask('workspace/executeCommand', command)
  check('command', result.results[1].symbol == 'parse_settings', result.results[1].symbol)
  result = ask('codewhere/search', { query = 'put an article into the cart', limit = 1 })
  check('own request', result.results[1].symbol == 'addToCart', result.results[1].path)
  local _, problem = ask('codewhere/search', { limit = 1 })
  check('error reply', problem and problem.code == -32602, problem)

  vim.api.nvim_buf_set_lines(buffer, 0, 0, false, { '-- 漢😀', 'def whisper_gently(ear):', '    return ear.quiet', '' })
  vim.wait(1000)
  result = ask('codewhere/search', { query = 'whisper gently', limit = 1 })
  check('unsaved buffer', result.results[1].symbol == 'whisper_gently', result.results[1].range)

  vim.lsp.stop_client(id)
  check('ended', vim.wait(10000, function() return vim.lsp.get_client_by_id(id) == nil end, 50), id)
end

local ok, problem = pcall(main)
check('script', ok, problem)
vim.cmd(failed and 'cquit' or 'qall!')
